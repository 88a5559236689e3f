import { RequestCode, ResponseCode } from '../../../common/index.js'
import { fail, NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import { errorText } from '../../../util/index.js'
import type { BrokerContext } from '../../context.js'

/** Java's name of the field, and the modes: those of madvise. */
const FIELD = 'READ_AHEAD_MODE'
const NORMAL = 0
const RANDOM = 1

/**
 * SET_COMMITLOG_READ_MODE (2004): whether the kernel may read ahead in the commit log, in all files at once. Kept as
 * `dataReadAheadEnable`, so that it holds for files to come and after a restart.
 */
export function commitLogReadModeRoute({
  store,
  configuration,
  logger,
}: Pick<BrokerContext, 'store' | 'configuration' | 'logger'>): Route {
  return route({
    code: RequestCode.SET_COMMITLOG_READ_MODE,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(_header, { extFields }, { peer }) {
      const text = extFields?.[FIELD]
      if (text === undefined) return fail(ResponseCode.SYSTEM_ERROR, 'set commitlog readahead mode param error')
      if (!/^[+-]?\d+$/.test(text)) return fail(ResponseCode.SYSTEM_ERROR, 'set commitlog readahead mode failed')
      const mode = Number(text)
      if (mode !== NORMAL && mode !== RANDOM) {
        return fail(ResponseCode.INVALID_PARAMETER, 'set commitlog readahead mode param value error')
      }
      const isOn = mode === NORMAL
      try {
        await configuration.update(`dataReadAheadEnable=${isOn}`)
      } catch (error) {
        return fail(ResponseCode.SYSTEM_ERROR, `set commitlog readahead mode failed: ${errorText(error)}`)
      }
      store.log.files.setReadAhead(isOn)
      logger.info(
        { event: 'read-ahead-set', isOn, peer: peer.text },
        `the kernel ${isOn ? 'may' : 'must not'} read ahead in the commit log`,
      )
      return ok().withRemark(`set commitlog readahead mode success, mode: ${mode}`)
    },
  })
}
