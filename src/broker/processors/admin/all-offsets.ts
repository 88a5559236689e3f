import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'

/** GET_ALL_CONSUMER_OFFSET (43). */
export function allConsumerOffsetRoute(broker: Pick<BrokerContext, 'offsets'>): Route {
  return route({
    code: RequestCode.GET_ALL_CONSUMER_OFFSET,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    handle: () => ok(Buffer.from(broker.offsets.toJson())),
  })
}

/** GET_ALL_DELAY_OFFSET (45): how far each delay level is, as the file says it. */
export function allDelayOffsetRoute(broker: Pick<BrokerContext, 'settings'>): Route {
  return route({
    code: RequestCode.GET_ALL_DELAY_OFFSET,
    request: NoHeader,
    lane: 'admin',
    action: 'LIST',
    async handle() {
      const path = join(broker.settings.storePathRootDir, 'config', 'delayOffset.json')
      try {
        return ok(await readFile(path))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        return fail(ResponseCode.SYSTEM_ERROR, 'No delay offset in this broker')
      }
    },
  })
}
