/**
 * mqadmin commands and the lines that scripts look for in their output. `{name}` in arguments and expectations stands for what
 * is in place: topic, group, producerGroup (all online), msgId and offsetId of the only message (queue 0, offset 0), broker,
 * brokerName, cluster, namesrv, and `new`, a topic or group name nobody uses.
 *
 * @typedef {{ name: string, args: string[], out?: string[], err?: string[], not?: string[] }} AdminCase
 *   out, err: regular expressions (flag m) that stdout and stderr must match, in any order; not: what stdout must not match
 */

const table = (...words) => `^${words.join(' +')}\\s*$`
const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d'
const message = [
  '^OffsetID: +{offsetId}$',
  '^Topic: +{topic}$',
  '^Tags: +\\[TagA\\]$',
  '^Keys: +\\[adm-key\\]$',
  '^Queue ID: +0$',
  '^Queue Offset: +0$',
  '^CommitLog Offset: +\\d+$',
  '^Reconsume Times: +0$',
  `^Store Timestamp: +${time},\\d{3}$`,
  '^Store Host: +{broker}$',
  '^System Flag: +0$',
  '^Properties: +\\{.*UNIQ_KEY={msgId}.*\\}$',
  '^MessageTrack \\[consumerGroup={group}, trackType=CONSUMED, exceptionDesc=null\\]$',
]
const noRoute = 'CODE: 17 +DESC: No topic route info in name server for the topic: '

/** @type {AdminCase[]} */
export const coreCommands = [
  {
    name: 'updateTopic',
    args: ['updateTopic', '-b', '{broker}', '-t', '{new}', '-r', '4', '-w', '4'],
    out: [
      '^create topic to {broker} success\\.$',
      '^TopicConfig \\[topicName={new}, readQueueNums=4, writeQueueNums=4, perm=RW-, topicFilterType=SINGLE_TAG, topicSysFlag=0, order=false, attributes=\\{\\}\\]$',
    ],
  },
  {
    name: 'updateTopic-cluster',
    args: ['updateTopic', '-c', '{cluster}', '-t', '{new}', '-r', '6', '-w', '5', '-p', '4'],
    out: ['^create topic to {broker} success\\.$', 'readQueueNums=6, writeQueueNums=5, perm=R--'],
  },
  {
    name: 'updateTopic-illegal-name',
    args: ['updateTopic', '-b', '{broker}', '-t', 'Bad Topic'],
    err: ['CODE: 29 +DESC: The specified topic contains illegal characters, allowing only'],
  },
  {
    name: 'updateTopic-system-topic',
    args: ['updateTopic', '-b', '{broker}', '-t', 'SCHEDULE_TOPIC_XXXX'],
    err: ['CODE: 29 +DESC: The topic\\[SCHEDULE_TOPIC_XXXX\\] is conflict with system topic\\.'],
  },
  {
    name: 'topicList',
    args: ['topicList'],
    out: [
      '^{topic}$',
      '^{new}$',
      '^TBW102$',
      '^{cluster}$',
      '^{brokerName}$',
      '^%RETRY%{group}$',
      '^SCHEDULE_TOPIC_XXXX$',
    ],
  },
  {
    name: 'topicList-cluster',
    args: ['topicList', '-c'],
    out: [table('#Cluster Name', '#Topic', '#Consumer Group'), table('{cluster}', '{topic}', '{group}')],
  },
  {
    name: 'topicRoute',
    args: ['topicRoute', '-t', '{topic}'],
    out: [
      '"brokerAddrs":\\{0:"{broker}"',
      '"brokerName":"{brokerName}"',
      '"cluster":"{cluster}"',
      '"readQueueNums":2',
      '"writeQueueNums":2',
      '"perm":6',
    ],
  },
  {
    name: 'topicRoute-list',
    args: ['topicRoute', '-t', '{topic}', '-l'],
    out: [
      table('#ClusterName', '#BrokerName', '#BrokerAddrs', '#ReadQueue', '#WriteQueue', '#Perm'),
      table('{cluster}', '{brokerName}', '\\{0={broker}\\}', '2', '2', '6'),
      table('Total:', '1', '2', '2'),
    ],
  },
  { name: 'topicRoute-unknown', args: ['topicRoute', '-t', 'NoSuchTopic'], err: [`${noRoute}NoSuchTopic`] },
  {
    name: 'topicStatus',
    args: ['topicStatus', '-t', '{topic}'],
    out: [
      table('#Broker Name', '#QID', '#Min Offset', '#Max Offset', '#Last Updated'),
      table('{brokerName}', '0', '0', '1', `${time},\\d{3}`),
      table('{brokerName}', '1', '0', '0'),
      '^Topic Put TPS: \\d+\\.\\d',
    ],
  },
  { name: 'topicClusterList', args: ['topicClusterList', '-t', '{topic}'], out: ['^{cluster}$'] },
  {
    name: 'clusterList',
    args: ['clusterList'],
    out: [
      '^#Cluster Name +#Broker Name +#BID +#Addr +#Version +#InTPS\\(LOAD\\) +#OutTPS\\(LOAD\\) +#Timer\\(Progress\\) +#PCWait\\(ms\\) +#Hour +#SPACE +#ACTIVATED',
      '^{cluster} +{brokerName} +0 +{broker} +V\\d_\\d_\\d +\\d+\\.\\d\\d\\(\\d+,\\d+ms\\) +\\d+\\.\\d\\d\\(\\d+,\\d+ms\\|\\d+,\\d+ms\\) +\\S+\\(\\S+w, \\S+, \\S+\\) +\\d+ +[\\d.]+ +[\\d.]+ +true',
    ],
  },
  {
    name: 'clusterList-more-stats',
    args: ['clusterList', '-m'],
    out: [
      table('#Cluster Name', '#Broker Name', '#InTotalYest', '#OutTotalYest', '#InTotalToday', '#OutTotalToday'),
      table('{cluster}', '{brokerName}', '\\d+', '\\d+', '\\d+', '\\d+'),
    ],
  },
  {
    name: 'brokerStatus',
    args: ['brokerStatus', '-b', '{broker}'],
    out: [
      '^brokerVersionDesc +: V\\d_\\d_\\d$',
      '^brokerActive +: true$',
      '^bootTimestamp +: \\d{13}$',
      '^commitLogMaxOffset +: [1-9]\\d*$',
      '^commitLogMinOffset +: 0$',
      '^msgPutTotalTodayNow +: \\d+$',
      '^putTps +: [\\d. ]+$',
      '^runtime +: \\[ 0 days, \\d+ hours, \\d+ minutes, \\d+ seconds \\]$',
      '^sendThreadPoolQueueSize +: 0$',
      '^dispatchBehindBytes +: \\d+$',
    ],
  },
  {
    name: 'updateSubGroup',
    args: ['updateSubGroup', '-b', '{broker}', '-g', '{new}', '-r', '5', '-q', '2'],
    out: [
      '^create subscription group to {broker} success\\.$',
      '^SubscriptionGroupConfig\\{groupName={new}, consumeEnable=true, consumeFromMinEnable=false, consumeBroadcastEnable=false, consumeMessageOrderly=false, retryQueueNums=2, retryMaxTimes=5, groupRetryPolicy=GroupRetryPolicy\\{type=CUSTOMIZED, exponentialRetryPolicy=null, customizedRetryPolicy=null\\}, brokerId=0, whichBrokerWhenConsumeSlowly=1,',
    ],
  },
  {
    name: 'deleteSubGroup',
    args: ['deleteSubGroup', '-b', '{broker}', '-g', '{new}', '-r', 'true'],
    out: ['^delete subscription group \\[{new}\\] from broker \\[{broker}\\] success\\.$'],
  },
  {
    name: 'consumerProgress',
    args: ['consumerProgress', '-g', '{group}'],
    out: [
      table('#Topic', '#Broker Name', '#QID', '#Broker Offset', '#Consumer Offset', '#Diff', '#Inflight', '#LastTime'),
      table('{topic}', '{brokerName}', '0', '1', '1', '0', '0', time),
      table('{topic}', '{brokerName}', '1', '0', '0', '0', '0', 'N/A'),
      '^Consume TPS: \\d+\\.\\d\\d$',
      '^Consume Diff Total: 0$',
      '^Consume Inflight Total: 0$',
    ],
  },
  {
    name: 'consumerProgress-all-groups',
    args: ['consumerProgress'],
    out: [
      table('#Group', '#Count', '#Version', '#Type', '#Model', '#TPS', '#Diff Total'),
      table('{group}', '1', 'V5_3_3', 'PUSH', 'CLUSTERING', '\\d+', '0'),
    ],
  },
  {
    name: 'consumerConnection',
    args: ['consumerConnection', '-g', '{group}'],
    out: [
      table('#ClientId', '#ClientAddr', '#Language', '#Version'),
      '^\\S+@\\S+ +[\\d.:]+ +JAVA +V5_3_3$',
      table('#Topic', '#SubExpression'),
      table('{topic}', 'TagA \\|\\| TagB'),
      '^ConsumeType: CONSUME_PASSIVELY$',
      '^MessageModel: CLUSTERING$',
      '^ConsumeFromWhere: CONSUME_FROM_FIRST_OFFSET$',
    ],
  },
  {
    name: 'consumerConnection-unknown',
    args: ['consumerConnection', '-g', 'NoSuchGroup'],
    err: [`${noRoute}%RETRY%NoSuchGroup`],
  },
  {
    name: 'producerConnection',
    args: ['producerConnection', '-g', '{producerGroup}', '-t', '{topic}'],
    out: ['^0001 +\\S+@\\S+ +[\\d.:]+ +JAVA +V5_3_3'],
  },
  {
    name: 'producerConnection-unknown',
    args: ['producerConnection', '-g', 'NoSuchProducer', '-t', '{topic}'],
    err: ['CODE: 1 +DESC: the producer group\\[NoSuchProducer\\] not exist'],
  },
  { name: 'queryMsgById', args: ['queryMsgById', '-t', '{topic}', '-i', '{offsetId}'], out: message },
  {
    name: 'queryMsgByOffset',
    args: ['queryMsgByOffset', '-t', '{topic}', '-b', '{brokerName}', '-i', '0', '-o', '0'],
    out: message,
  },
  {
    name: 'queryMsgByOffset-past-the-end',
    args: ['queryMsgByOffset', '-t', '{topic}', '-b', '{brokerName}', '-i', '0', '-o', '9999'],
    not: ['OffsetID'],
  },
  {
    name: 'consumeMessage',
    args: ['consumeMessage', '-t', '{topic}', '-b', '{brokerName}', '-i', '0', '-o', '0', '-c', '1'],
    out: [
      '^Consume ok$',
      '^MSGID: {msgId} MessageExt \\[brokerName={brokerName}, queueId=0, storeSize=\\d+, queueOffset=0, sysFlag=0, .*msgId={offsetId}, .*BODY: seen by mqadmin$',
    ],
  },
  {
    name: 'printMsg',
    args: ['printMsg', '-t', '{topic}', '-d', 'true'],
    out: [
      '^minOffset=0, maxOffset=1, MessageQueue \\[topic={topic}, brokerName={brokerName}, queueId=0\\]$',
      '^MSGID: {msgId} MessageExt .*BODY: seen by mqadmin$',
    ],
  },
  {
    name: 'sendMessage',
    args: ['sendMessage', '-t', '{new}', '-p', 'hello from mqadmin', '-k', 'k1', '-c', 'TagAdm'],
    err: ['No route info of this topic|No accessible queue|SendMessageCommand command failed'],
  },
  {
    name: 'sendMessage-to-queue',
    args: ['sendMessage', '-t', '{topic}', '-p', 'hello from mqadmin', '-b', '{brokerName}', '-i', '1'],
    out: [table('#Broker Name', '#QID', '#Send Result', '#MsgId'), '^{brokerName} +1 +SEND_OK +[0-9A-F]{32,56}$'],
  },
  {
    name: 'getBrokerConfig',
    args: ['getBrokerConfig', '-b', '{broker}'],
    out: [
      '^=+{broker}=+$',
      '^brokerName +=  {brokerName}$',
      '^brokerClusterName +=  {cluster}$',
      '^autoCreateTopicEnable +=  true$',
      '^fileReservedTime +=  \\d+$',
      '^flushDiskType +=  ASYNC_FLUSH$',
    ],
  },
  {
    name: 'updateBrokerConfig',
    args: ['updateBrokerConfig', '-b', '{broker}', '-k', 'fileReservedTime', '-v', '47'],
    out: ['^update broker config success, {broker}$'],
  },
  { name: 'updateBrokerConfig-took', args: ['getBrokerConfig', '-b', '{broker}'], out: ['^fileReservedTime +=  47$'] },
  {
    name: 'updateBrokerConfig-black-list',
    args: ['updateBrokerConfig', '-b', '{broker}', '-k', 'brokerConfigPath', '-v', '/x'],
    err: ['CODE: 16 +DESC: Can not update config in black list\\.'],
  },
  {
    name: 'getNamesrvConfig',
    args: ['getNamesrvConfig'],
    out: [
      '^=+{namesrv}=+$',
      '^listenPort +=  \\d+$',
      '^scanNotActiveBrokerInterval +=  5000$',
      '^kvConfigPath +=  \\S+',
    ],
  },
  {
    name: 'wipeWritePerm',
    args: ['wipeWritePerm', '-b', '{brokerName}'],
    out: ['^wipe write perm of broker\\[{brokerName}\\] in name server\\[{namesrv}\\] OK, [1-9]\\d*$'],
  },
  { name: 'wipeWritePerm-took', args: ['topicRoute', '-t', '{topic}'], out: ['"perm":4'] },
  {
    name: 'addWritePerm',
    args: ['addWritePerm', '-b', '{brokerName}'],
    out: ['^add write perm of broker\\[{brokerName}\\] in name server\\[{namesrv}\\] OK, [1-9]\\d*$'],
  },
  { name: 'addWritePerm-took', args: ['topicRoute', '-t', '{topic}'], out: ['"perm":6'] },
  {
    name: 'deleteTopic',
    args: ['deleteTopic', '-c', '{cluster}', '-t', '{new}'],
    out: [
      '^delete topic \\[{new}\\] from cluster \\[{cluster}\\] success\\.$',
      '^delete topic \\[{new}\\] from NameServer success\\.$',
    ],
  },
  { name: 'deleteTopic-took', args: ['topicList'], out: ['^{topic}$'], not: ['^{new}$'] },
]
