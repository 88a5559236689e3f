import type { Route } from '../../remoting/index.js'
import type { NamesrvContext } from '../context.js'
import { brokerHeartbeat, getBrokerMemberGroup, queryDataVersion } from './broker-state.js'
import { getBrokerClusterInfo } from './cluster-info.js'
import { deleteKVConfig, getKVConfig, getKVListByNamespace, putKVConfig } from './kv-config.js'
import { getNamesrvConfig, updateNamesrvConfig } from './namesrv-config.js'
import { registerBroker } from './register-broker.js'
import {
  getAllTopicListFromNameServer,
  getHasUnitSubTopicList,
  getHasUnitSubUnUnitTopicList,
  getSystemTopicListFromNs,
  getTopicsByCluster,
  getUnitTopicList,
} from './topic-lists.js'
import { getRouteInfoByTopic } from './topic-route.js'
import { deleteTopicInNamesrv, registerTopicInNamesrv } from './topics.js'
import { unregisterBroker } from './unregister-broker.js'
import { addWritePermOfBroker, wipeWritePermOfBroker } from './write-perm.js'

/** Every request a NameServer answers, by code. */
export function namesrvRoutes(namesrv: NamesrvContext): Route[] {
  return [
    putKVConfig(namesrv), // 100
    getKVConfig(namesrv), // 101
    deleteKVConfig(namesrv), // 102
    registerBroker(namesrv), // 103
    unregisterBroker(namesrv), // 104
    getRouteInfoByTopic(namesrv), // 105
    getBrokerClusterInfo(namesrv), // 106
    wipeWritePermOfBroker(namesrv), // 205
    getAllTopicListFromNameServer(namesrv), // 206
    deleteTopicInNamesrv(namesrv), // 216
    registerTopicInNamesrv(namesrv), // 217
    getKVListByNamespace(namesrv), // 219
    getTopicsByCluster(namesrv), // 224
    getSystemTopicListFromNs(namesrv), // 304
    getUnitTopicList(namesrv), // 311
    getHasUnitSubTopicList(namesrv), // 312
    getHasUnitSubUnUnitTopicList(namesrv), // 313
    updateNamesrvConfig(namesrv), // 318
    getNamesrvConfig(namesrv), // 319
    queryDataVersion(namesrv), // 322
    addWritePermOfBroker(namesrv), // 327
    getBrokerMemberGroup(namesrv), // 901
    brokerHeartbeat(namesrv), // 904
  ]
}
