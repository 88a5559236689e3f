import { bool, computed, duration, fixed, int, live, noEffect, planned, refused, text, unset } from '../setting.js'
import { noThreads } from './reasons.js'

/** Java's NamesrvConfig, in its order. */
export const namesrv = {
  rocketmqHome: unset(fixed, 'Folder of an installed RocketMQ. Accepted, not needed.'),
  kvConfigPath: text(
    computed('~/namesrv/kvConfig.json', from => `${from.home}/namesrv/kvConfig.json`),
    fixed,
    'File of the key-value configuration.',
  ),
  configStorePath: text(
    computed(
      '~/namesrv/namesrv.properties, or the file given with -c',
      from => `${from.home}/namesrv/namesrv.properties`,
    ),
    fixed,
    'File that run-time changes go to.',
  ),
  productEnvName: text('center', planned, 'Environment that a test cluster asks for unknown topics.'),
  clusterTest: bool(false, planned, 'Be the NameServer of such a test cluster.'),
  orderMessageEnable: bool(false, live, 'Give the order configuration of a topic with its route.'),
  returnOrderTopicConfigToBroker: bool(true, live, 'Give it to brokers that register.'),
  clientRequestThreadPoolNums: int(8, noThreads, 'Threads for route queries.'),
  defaultThreadPoolNums: int(16, noThreads, 'Threads for all else.'),
  clientRequestThreadPoolQueueCapacity: int(50_000, fixed, 'Route queries that may wait for their answers at once.', {
    min: 1,
  }),
  defaultThreadPoolQueueCapacity: int(10_000, fixed, 'Requests of another kind that may do so, each kind by itself.', {
    min: 1,
  }),
  scanNotActiveBrokerInterval: duration(5000, fixed, 'Pause between looks for silent brokers.', { min: 1 }),
  unRegisterBrokerQueueCapacity: int(3000, live, 'Waiting sign-offs of brokers.', { min: 1 }),
  supportActingMaster: bool(false, live, 'Show a slave as master while the master is gone.'),
  enableAllTopicList: bool(true, live, 'Answer with the list of all topics.'),
  enableTopicList: bool(true, live, 'Answer with lists of topics per cluster or kind.'),
  notifyMinBrokerIdChanged: bool(false, live, 'Tell brokers when the lowest id of their group changes.'),
  enableControllerInNamesrv: bool(false, refused('controllers are not supported yet'), 'Run a controller, too.'),
  needWaitForService: bool(false, live, 'Answer no route queries at first.'),
  waitSecondsForService: int(45, fixed, 'For how long after start.', { unit: 's' }),
  deleteTopicWithBrokerRegistration: bool(
    false,
    live,
    'A registration without a topic removes the topic of that broker.',
  ),
  configBlackList: text(
    'configBlackList;configStorePath;kvConfigPath',
    fixed,
    'Keys that nobody may change remotely, separated by semicolons.',
  ),
  namesrvAddr: unset(noEffect('NameServers do not talk to each other'), 'Accepted, as Java does.', {
    listed: 'whenSet',
    unprinted: true,
  }),
}
