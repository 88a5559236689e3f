import { CometRequestCode } from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { jsonBody } from './json-body.js'
import { unflushedMessages } from './unflushed-messages.js'

type Parts = Pick<BrokerContext, 'store' | 'clock' | 'identity'>

/** DURABILITY (100050): what a power cut at this moment would take. */
export function durabilityRoute({ store, clock, identity }: Parts): Route {
  return route({
    code: CometRequestCode.DURABILITY,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    async handle() {
      const unflushed = await unflushedMessages({ store })
      const now = clock.now()
      const ageOf = (time: number): number => (time > 0 ? Math.max(0, now - time) : 0)
      return ok(
        jsonBody({
          brokerName: identity.brokerName,
          brokerId: identity.brokerId,
          flushDiskType: store.settings.flushDiskType,
          ...unflushed,
          topics: unflushed.topics.map(topic => ({ ...topic, ms: ageOf(topic.storeTimestamp) })),
          ms: ageOf(unflushed.oldestStoreTimestamp),
          isWritable: store.flags.isWritable,
          ...(store.flags.isWritable ? {} : { whyNotWritable: store.flags.whyNotWritable }),
        }),
      )
    },
  })
}
