import type { Command } from '../command.js'
import { allocateMQ } from './allocate-mq.js'
import { brokerStatus } from './broker-status.js'
import { cleanExpiredCQ, cleanUnusedTopic, deleteExpiredCommitLog } from './clean.js'
import { clusterList } from './cluster-list.js'
import { consumeMessage } from './consume-message.js'
import { consumerConnection } from './consumer-connection.js'
import { consumerProgress } from './consumer-progress.js'
import { deleteSubGroup } from './delete-sub-group.js'
import { deleteTopic } from './delete-topic.js'
import { getBrokerConfig } from './get-broker-config.js'
import { getConsumerConfig } from './get-consumer-config.js'
import { getNamesrvConfig } from './get-namesrv-config.js'
import { deleteKvConfig, updateKvConfig } from './kv-config.js'
import { printMsg } from './print-msg.js'
import { producer } from './producer.js'
import { producerConnection } from './producer-connection.js'
import { queryMsgById } from './query-msg-by-id.js'
import { queryMsgByKey } from './query-msg-by-key.js'
import { queryMsgByOffset } from './query-msg-by-offset.js'
import { queryMsgByUniqueKey } from './query-msg-by-unique-key.js'
import { sendMessage } from './send-message.js'
import { sendMsgStatus } from './send-msg-status.js'
import { topicClusterList } from './topic-cluster-list.js'
import { topicList } from './topic-list.js'
import { topicRoute } from './topic-route.js'
import { topicStatus } from './topic-status.js'
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
  printMsg,
  sendMsgStatus,
  producerConnection,
  consumerConnection,
  consumerProgress,
  producer,
  clusterList,
  topicList,
  updateKvConfig,
  deleteKvConfig,
  wipeWritePerm,
  addWritePerm,
  updateOrderConf,
  cleanExpiredCQ,
  deleteExpiredCommitLog,
  cleanUnusedTopic,
  allocateMQ,
  getNamesrvConfig,
  updateNamesrvConfig,
  getBrokerConfig,
  getConsumerConfig,
  sendMessage,
  consumeMessage,
]
