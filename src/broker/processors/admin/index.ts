import type { Route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { allConsumerOffsetRoute, allDelayOffsetRoute } from './all-offsets.js'
import { getBrokerConfigRoute, updateBrokerConfigRoute } from './broker-config.js'
import { brokerStatsDataRoute } from './broker-stats-data.js'
import { cleanStoreRoutes } from './clean-store.js'
import { allProducersRoute, consumerConnectionsRoute, producerConnectionsRoute } from './client-connections.js'
import { cloneGroupOffsetRoute } from './clone-group-offset.js'
import { coldDataFlowCtrRoutes } from './cold-data-flow-ctr.js'
import { commitLogReadModeRoute } from './commit-log-read-mode.js'
import { brokerConsumeStatsRoute, consumeStatsRoute } from './consume-stats.js'
import { consumeTimeSpanRoute } from './consume-time-span.js'
import { consumeMessageDirectlyRoute, consumerRunningInfoRoute } from './consumer-relays.js'
import { consumerStatusRoute } from './consumer-status.js'
import { correctionOffsetRoute } from './correction-offset.js'
import { deleteGroupRoute } from './delete-group.js'
import { deleteTopicRoute } from './delete-topic.js'
import { durabilityRoute } from './durability.js'
import { allGroupConfigRoute, groupConfigRoute } from './group-configs.js'
import { groupForbiddenRoute } from './group-forbidden.js'
import { purgeTopicRoute } from './purge-topic.js'
import { queryConsumeQueueRoute } from './query-consume-queue.js'
import { resetOffsetRoutes } from './reset-offset.js'
import { runtimeInfoRoute } from './runtime-info.js'
import { systemTopicsRoute } from './system-topics.js'
import { allTopicConfigRoute, topicConfigRoute } from './topic-configs.js'
import { groupsOfTopicRoute, subscriptionOfGroupRoute, topicsOfGroupRoute } from './topic-groups.js'
import { topicStatsRoute } from './topic-stats.js'
import { updateGroupListRoute, updateGroupRoute } from './update-group.js'
import { updateTopicRoute } from './update-topic.js'
import { updateTopicListRoute } from './update-topic-list.js'

/** What operators and slaves ask of a broker: the one list. */
export function adminRoutes(broker: BrokerContext): Route[] {
  return [
    updateTopicRoute(broker),
    updateTopicListRoute(broker),
    deleteTopicRoute(broker),
    allTopicConfigRoute(broker),
    topicConfigRoute(broker),
    topicStatsRoute(broker),
    systemTopicsRoute(broker),
    ...cleanStoreRoutes(broker),
    queryConsumeQueueRoute(broker),
    updateGroupRoute(broker),
    updateGroupListRoute(broker),
    allGroupConfigRoute(broker),
    groupConfigRoute(broker),
    deleteGroupRoute(broker),
    groupForbiddenRoute(broker),
    consumerConnectionsRoute(broker),
    producerConnectionsRoute(broker),
    allProducersRoute(broker),
    groupsOfTopicRoute(broker),
    topicsOfGroupRoute(broker),
    subscriptionOfGroupRoute(broker),
    consumeStatsRoute(broker),
    brokerConsumeStatsRoute(broker),
    consumeTimeSpanRoute(broker),
    correctionOffsetRoute(broker),
    cloneGroupOffsetRoute(broker),
    getBrokerConfigRoute(broker),
    updateBrokerConfigRoute(broker),
    runtimeInfoRoute(broker),
    brokerStatsDataRoute(broker),
    allConsumerOffsetRoute(broker),
    allDelayOffsetRoute(broker),
    consumerRunningInfoRoute(broker),
    consumeMessageDirectlyRoute(broker),
    consumerStatusRoute(broker),
    ...resetOffsetRoutes(broker),
    ...coldDataFlowCtrRoutes(broker),
    commitLogReadModeRoute(broker),
    durabilityRoute(broker),
    purgeTopicRoute(broker),
  ]
}
