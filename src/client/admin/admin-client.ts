import {
  type ClusterInfo,
  clusterInfoFromJson,
  formatAttributes,
  type JsonValue,
  MASTER_ID,
  RequestCode,
  ResponseCode,
  readObject,
  readStrings,
  type SubscriptionGroupConfig,
  stringifyFastJson,
  subscriptionGroupConfigFromJson,
  type TopicConfig,
  type TopicRouteData,
  topicConfigFromJson,
} from '../../common/index.js'
import {
  AddWritePermOfBrokerResponseHeader,
  BrokerNameRequestHeader,
  CreateTopicRequestHeader,
  DeleteKVConfigRequestHeader,
  DeleteSubscriptionGroupRequestHeader,
  DeleteTopicFromNamesrvRequestHeader,
  GetConsumerConnectionListRequestHeader,
  GetConsumeStatsRequestHeader,
  GetKVConfigRequestHeader,
  GetKVConfigResponseHeader,
  GetKVListByNamespaceRequestHeader,
  GetProducerConnectionListRequestHeader,
  GetTopicsByClusterRequestHeader,
  GroupRequestHeader,
  PutKVConfigRequestHeader,
  TopicRequestHeader,
  ViewBrokerStatsDataRequestHeader,
  WipeWritePermOfBrokerResponseHeader,
} from '../../remoting/index.js'
import { formatProperties } from '../../util/index.js'
import { MQClientError, noRoute } from '../client-error.js'
import { propertiesOf, tableOf } from './admin-channel.js'
import { AdminQueries } from './admin-queries.js'
import {
  type BrokerStatsData,
  brokerStatsFromJson,
  type ClientConnection,
  type ConsumerConnection,
  type ConsumeStats,
  connectionsFromJson,
  consumerConnectionFromJson,
  consumeStatsFromJson,
  type TopicStats,
  topicStatsFromJson,
} from './bodies.js'

export type { AdminClientOptions, AdminRequest } from './admin-channel.js'

/** A topic to create or change; what is left out is as in a new topic. */
export interface TopicSpec extends Pick<TopicConfig, 'topicName' | 'readQueueNums' | 'writeQueueNums' | 'perm'> {
  order?: boolean
  topicSysFlag?: number
  topicFilterType?: TopicConfig['topicFilterType']
  /** `+key=value,-key`, or the same as signed keys and values (empty for `-`). */
  attributes?: string | ReadonlyMap<string, string>
  defaultTopic?: string
}

/** What tools ask NameServers and brokers, one method per request. All throw MQClientError. */
export class AdminClient extends AdminQueries {
  /** @throws MQClientError with `responseCode` 17 when no NameServer knows the topic */
  async topicRoute(topic: string): Promise<TopicRouteData> {
    const route = await this.instance.nameServers.topicRoute(topic)
    if (route) return route
    const { message } = noRoute(topic)
    throw new MQClientError('ERR_CLIENT_RESPONSE', message, {
      responseCode: ResponseCode.TOPIC_NOT_EXIST,
      remark: `No topic route info in name server for the topic: ${topic}`,
      address: this.namesrvAddresses[0],
    })
  }

  async clusterInfo(): Promise<ClusterInfo> {
    return clusterInfoFromJson(await this.namesrvJson(RequestCode.GET_BROKER_CLUSTER_INFO))
  }

  async topicList(): Promise<string[]> {
    return topicsOf(await this.namesrvJson(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER))
  }

  async topicsByCluster(cluster: string): Promise<string[]> {
    const header = GetTopicsByClusterRequestHeader.encode({ cluster })
    return topicsOf(await this.namesrvJson(RequestCode.GET_TOPICS_BY_CLUSTER, { header }))
  }

  /** Addresses of the masters of a cluster. */
  masterAddresses(cluster: string): Promise<string[]> {
    return this.addressesOf(cluster, true)
  }

  /** Addresses of masters and slaves of a cluster. */
  brokerAddresses(cluster: string): Promise<string[]> {
    return this.addressesOf(cluster, false)
  }

  async kv(namespace: string, key: string): Promise<string | undefined> {
    const header = GetKVConfigRequestHeader.encode({ namespace, key })
    const response = await this.invokeNamesrv(RequestCode.GET_KV_CONFIG, {
      header,
      accept: [ResponseCode.QUERY_NOT_FOUND],
    })
    return GetKVConfigResponseHeader.decode(response.extFields).value
  }

  /** On every NameServer. */
  putKv(namespace: string, key: string, value: string): Promise<void> {
    return this.invokeEachNamesrv(RequestCode.PUT_KV_CONFIG, {
      header: PutKVConfigRequestHeader.encode({ namespace, key, value }),
    })
  }

  /** On every NameServer. */
  deleteKv(namespace: string, key: string): Promise<void> {
    return this.invokeEachNamesrv(RequestCode.DELETE_KV_CONFIG, {
      header: DeleteKVConfigRequestHeader.encode({ namespace, key }),
    })
  }

  async kvList(namespace: string): Promise<Map<string, string>> {
    const header = GetKVListByNamespaceRequestHeader.encode({ namespace })
    return tableOf(await this.namesrvJson(RequestCode.GET_KVLIST_BY_NAMESPACE, { header }))
  }

  /** Resolves to the number of topics changed. */
  async wipeWritePerm(namesrvAddr: string, brokerName: string): Promise<number> {
    const header = BrokerNameRequestHeader.encode({ brokerName })
    const response = await this.invokeNamesrvAt(namesrvAddr, RequestCode.WIPE_WRITE_PERM_OF_BROKER, { header })
    return WipeWritePermOfBrokerResponseHeader.decode(response.extFields).wipeTopicCount
  }

  /** Resolves to the number of topics changed. */
  async addWritePerm(namesrvAddr: string, brokerName: string): Promise<number> {
    const header = BrokerNameRequestHeader.encode({ brokerName })
    const response = await this.invokeNamesrvAt(namesrvAddr, RequestCode.ADD_WRITE_PERM_OF_BROKER, { header })
    return AddWritePermOfBrokerResponseHeader.decode(response.extFields).addTopicCount
  }

  async namesrvConfig(namesrvAddr: string): Promise<Map<string, string>> {
    return propertiesOf((await this.invokeNamesrvAt(namesrvAddr, RequestCode.GET_NAMESRV_CONFIG)).body)
  }

  async updateNamesrvConfig(namesrvAddr: string, changes: ReadonlyMap<string, string>): Promise<void> {
    await this.invokeNamesrvAt(namesrvAddr, RequestCode.UPDATE_NAMESRV_CONFIG, { body: formatProperties(changes) })
  }

  async deleteTopicInNamesrv(namesrvAddr: string, topic: string, clusterName?: string): Promise<void> {
    const header = DeleteTopicFromNamesrvRequestHeader.encode({ topic, clusterName })
    await this.invokeNamesrvAt(namesrvAddr, RequestCode.DELETE_TOPIC_IN_NAMESRV, { header })
  }

  /** Creates or changes a topic on one broker. */
  async createTopic(address: string, topic: TopicSpec): Promise<void> {
    const header = CreateTopicRequestHeader.encode({
      topic: topic.topicName,
      defaultTopic: topic.defaultTopic ?? 'TBW102',
      readQueueNums: topic.readQueueNums,
      writeQueueNums: topic.writeQueueNums,
      perm: topic.perm,
      topicFilterType: topic.topicFilterType ?? 'SINGLE_TAG',
      topicSysFlag: topic.topicSysFlag ?? 0,
      order: topic.order ?? false,
      attributes: attributesText(topic.attributes),
    })
    await this.invokeBroker(address, RequestCode.UPDATE_AND_CREATE_TOPIC, { header })
  }

  async deleteTopicInBroker(address: string, topic: string): Promise<void> {
    await this.invokeBroker(address, RequestCode.DELETE_TOPIC_IN_BROKER, {
      header: TopicRequestHeader.encode({ topic }),
    })
  }

  async topicConfig(address: string, topic: string): Promise<TopicConfig> {
    const header = TopicRequestHeader.encode({ topic })
    const body = readObject(await this.brokerJson(address, RequestCode.GET_TOPIC_CONFIG, { header }))
    // a topic with a queue mapping has its configuration one level down
    return topicConfigFromJson(body.topicConfig ?? body)
  }

  async allTopicConfig(address: string): Promise<Map<string, TopicConfig>> {
    const body = readObject(await this.brokerJson(address, RequestCode.GET_ALL_TOPIC_CONFIG))
    const topics = Object.entries(readObject(body.topicConfigTable))
    return new Map(topics.map(([name, config]) => [name, topicConfigFromJson(config)]))
  }

  async topicStats(address: string, topic: string): Promise<TopicStats> {
    const header = TopicRequestHeader.encode({ topic })
    return topicStatsFromJson(await this.brokerJson(address, RequestCode.GET_TOPIC_STATS_INFO, { header }))
  }

  /** Creates or changes a group on one broker. */
  async createGroup(address: string, config: SubscriptionGroupConfig): Promise<void> {
    await this.invokeBroker(address, RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {
      body: stringifyFastJson(config),
    })
  }

  async deleteGroup(address: string, groupName: string, cleanOffset = false): Promise<void> {
    const header = DeleteSubscriptionGroupRequestHeader.encode({ groupName, cleanOffset })
    await this.invokeBroker(address, RequestCode.DELETE_SUBSCRIPTIONGROUP, { header })
  }

  async groupConfig(address: string, group: string): Promise<SubscriptionGroupConfig> {
    const header = GroupRequestHeader.encode({ group })
    return subscriptionGroupConfigFromJson(
      await this.brokerJson(address, RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, { header }),
    )
  }

  async allGroups(address: string): Promise<Map<string, SubscriptionGroupConfig>> {
    const body = readObject(await this.brokerJson(address, RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG))
    const groups = Object.entries(readObject(body.subscriptionGroupTable))
    return new Map(groups.map(([name, config]) => [name, subscriptionGroupConfigFromJson(config)]))
  }

  async consumeStats(address: string, consumerGroup: string, topic?: string): Promise<ConsumeStats> {
    const header = GetConsumeStatsRequestHeader.encode({ consumerGroup, topic })
    return consumeStatsFromJson(await this.brokerJson(address, RequestCode.GET_CONSUME_STATS, { header }))
  }

  async consumerConnection(address: string, consumerGroup: string): Promise<ConsumerConnection> {
    const header = GetConsumerConnectionListRequestHeader.encode({ consumerGroup })
    return consumerConnectionFromJson(
      await this.brokerJson(address, RequestCode.GET_CONSUMER_CONNECTION_LIST, { header }),
    )
  }

  async producerConnection(address: string, producerGroup: string): Promise<ClientConnection[]> {
    const header = GetProducerConnectionListRequestHeader.encode({ producerGroup })
    return connectionsFromJson(await this.brokerJson(address, RequestCode.GET_PRODUCER_CONNECTION_LIST, { header }))
  }

  /** Groups that have offsets in the topic. */
  async consumersOfTopic(address: string, topic: string): Promise<string[]> {
    const header = TopicRequestHeader.encode({ topic })
    return readStrings(
      readObject(await this.brokerJson(address, RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, { header })).groupList,
    )
  }

  /** Topics in which the group has offsets. */
  async topicsOfConsumer(address: string, group: string): Promise<string[]> {
    return topicsOf(
      await this.brokerJson(address, RequestCode.QUERY_TOPICS_BY_CONSUMER, {
        header: GroupRequestHeader.encode({ group }),
      }),
    )
  }

  async runtimeInfo(address: string): Promise<Map<string, string>> {
    return tableOf(await this.brokerJson(address, RequestCode.GET_BROKER_RUNTIME_INFO))
  }

  async brokerConfig(address: string): Promise<Map<string, string>> {
    return propertiesOf((await this.invokeBroker(address, RequestCode.GET_BROKER_CONFIG)).body)
  }

  async updateBrokerConfig(address: string, changes: ReadonlyMap<string, string>): Promise<void> {
    await this.invokeBroker(address, RequestCode.UPDATE_BROKER_CONFIG, { body: formatProperties(changes) })
  }

  async brokerStats(address: string, statsName: string, statsKey: string): Promise<BrokerStatsData> {
    const header = ViewBrokerStatsDataRequestHeader.encode({ statsName, statsKey })
    return brokerStatsFromJson(await this.brokerJson(address, RequestCode.VIEW_BROKER_STATS_DATA, { header }))
  }

  private async addressesOf(cluster: string, mastersOnly: boolean): Promise<string[]> {
    const info = await this.clusterInfo()
    const names = info.clusterAddrTable.get(cluster)
    if (!names) {
      throw new MQClientError(
        'ERR_CLIENT_ARGUMENT',
        '[error] Make sure the specified clusterName exists or the name server connected to is correct.',
      )
    }
    return [...names].flatMap(name => {
      const addresses = info.brokerAddrTable.get(name)?.brokerAddrs ?? new Map<number, string>()
      const master = addresses.get(MASTER_ID)
      return mastersOnly ? (master === undefined ? [] : [master]) : [...addresses.values()]
    })
  }
}

function attributesText(attributes: TopicSpec['attributes']): string | undefined {
  if (typeof attributes === 'string') return attributes
  return attributes && attributes.size > 0 ? formatAttributes(attributes) : undefined
}

function topicsOf(json: JsonValue): string[] {
  return readStrings(readObject(json).topicList)
}
