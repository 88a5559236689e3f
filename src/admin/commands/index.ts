import type { Command } from '../command.js'
import { allocateMQ } from './allocate-mq.js'
import { brokerStatus } from './broker-status.js'
import { checkMsgSendRT } from './check-msg-send-rt.js'
import { cleanExpiredCQ, cleanUnusedTopic, deleteExpiredCommitLog } from './clean.js'
import { cloneGroupOffset } from './clone-group-offset.js'
import { clusterList } from './cluster-list.js'
import {
  getColdDataFlowCtrInfo,
  removeColdDataFlowCtrGroupConfig,
  setCommitLogReadAheadMode,
  updateColdDataFlowCtrGroupConfig,
} from './cold-data-flow-ctr.js'
import { consumeMessage } from './consume-message.js'
import { consumerConnection } from './consumer-connection.js'
import { consumerProgress } from './consumer-progress.js'
import { consumerStatus } from './consumer-status.js'
import { deleteSubGroup } from './delete-sub-group.js'
import { deleteTopic } from './delete-topic.js'
import { dlq } from './dlq.js'
import { durability } from './durability.js'
import { filterTest } from './filter-test.js'
import { getBrokerConfig } from './get-broker-config.js'
import { getConsumerConfig } from './get-consumer-config.js'
import { getConsumerStatus } from './get-consumer-status.js'
import { getNamesrvConfig } from './get-namesrv-config.js'
import { deleteKvConfig, updateKvConfig } from './kv-config.js'
import { printMsg } from './print-msg.js'
import { producer } from './producer.js'
import { producerConnection } from './producer-connection.js'
import { purgeTopic } from './purge-topic.js'
import { queryCq } from './query-cq.js'
import { queryMsgById } from './query-msg-by-id.js'
import { queryMsgByKey } from './query-msg-by-key.js'
import { queryMsgByOffset } from './query-msg-by-offset.js'
import { queryMsgByUniqueKey } from './query-msg-by-unique-key.js'
import { queryMsgTraceById } from './query-msg-trace-by-id.js'
import { resetOffsetByTime } from './reset-offset-by-time.js'
import { resetOffsetByTimeOld } from './reset-offset-by-time-old.js'
import { schedule } from './schedule.js'
import { sendMessage } from './send-message.js'
import { sendMsgStatus } from './send-msg-status.js'
import { skipAccumulatedMessage } from './skip-accumulated-message.js'
import { startMonitoring } from './start-monitoring.js'
import { statsAll } from './stats-all.js'
import { topicClusterList } from './topic-cluster-list.js'
import { topicList } from './topic-list.js'
import { topicRoute } from './topic-route.js'
import { topicStatus } from './topic-status.js'
import { transactions } from './transactions.js'
import { undoResetOffset } from './undo-reset-offset.js'
import { updateBrokerConfig } from './update-broker-config.js'
import { updateNamesrvConfig } from './update-namesrv-config.js'
import { updateOrderConf } from './update-order-conf.js'
import { updateSubGroup } from './update-sub-group.js'
import { updateSubGroupList } from './update-sub-group-list.js'
import { updateTopic } from './update-topic.js'
import { updateTopicList } from './update-topic-list.js'
import { updateTopicPerm } from './update-topic-perm.js'
import { addWritePerm, wipeWritePerm } from './write-perm.js'

/** Every command: the one list, in Java's order. */
export const commands: readonly Command[] = [
  updateTopic,
  updateTopicList,
  deleteTopic,
  updateSubGroup,
  updateSubGroupList,
  deleteSubGroup,
  updateBrokerConfig,
  updateTopicPerm,
  topicRoute,
  topicStatus,
  topicClusterList,
  brokerStatus,
  queryMsgById,
  queryMsgByKey,
  queryMsgByUniqueKey,
  queryMsgByOffset,
  queryMsgTraceById,
  printMsg,
  sendMsgStatus,
  producerConnection,
  consumerConnection,
  consumerProgress,
  consumerStatus,
  cloneGroupOffset,
  producer,
  clusterList,
  topicList,
  updateKvConfig,
  deleteKvConfig,
  wipeWritePerm,
  addWritePerm,
  resetOffsetByTime,
  skipAccumulatedMessage,
  updateOrderConf,
  cleanExpiredCQ,
  deleteExpiredCommitLog,
  cleanUnusedTopic,
  startMonitoring,
  statsAll,
  allocateMQ,
  checkMsgSendRT,
  getNamesrvConfig,
  updateNamesrvConfig,
  getBrokerConfig,
  getConsumerConfig,
  queryCq,
  sendMessage,
  consumeMessage,
  getColdDataFlowCtrInfo,
  updateColdDataFlowCtrGroupConfig,
  removeColdDataFlowCtrGroupConfig,
  setCommitLogReadAheadMode,
  // Java's tool does not have these
  durability,
  purgeTopic,
  dlq,
  resetOffsetByTimeOld,
  getConsumerStatus,
  undoResetOffset,
  filterTest,
  transactions,
  schedule,
]
