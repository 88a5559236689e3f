import { CometRequestCode } from '../../../common/index.js'
import { ok, PurgeTopicRequestHeader, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { TopicPurge } from '../../topic/topic-purge.js'
import { jsonBody } from './json-body.js'

/** PURGE_TOPIC (100060): old messages of one topic go, or with `preview` what would go and who has not read it. */
export function purgeTopicRoute(
  broker: Pick<BrokerContext, 'store' | 'topics' | 'offsets' | 'consumers' | 'clock' | 'logger' | 'identity'>,
): Route {
  const purge = new TopicPurge(broker)
  return route({
    code: CometRequestCode.PURGE_TOPIC,
    request: PurgeTopicRequestHeader,
    lane: 'admin',
    action: 'DELETE',
    async handle({ topic, before, preview = false, force = false }) {
      const wish = { topic, before }
      const { brokerName } = broker.identity
      const plan = preview ? await purge.preview(wish) : await purge.purge(wish, force)
      return ok(jsonBody({ brokerName, isDone: !preview, ...plan }))
    },
  })
}
