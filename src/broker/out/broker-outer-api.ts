import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'
import {
  type DataVersion,
  dataVersionFromJson,
  encodeTopicConfigLine,
  parseFastJson,
  type QueueData,
  RequestCode,
  ResponseCode,
  readObject,
  readStringMap,
  responseCodeName,
  sameDataVersion,
  stringifyFastJson,
  type TopicConfig,
} from '../../common/index.js'
import {
  type OutgoingRequest,
  type PeerPolicy,
  QueryDataVersionRequestHeader,
  QueryDataVersionResponseHeader,
  RegisterBrokerRequestHeader,
  RegisterBrokerResponseHeader,
  RegisterTopicRequestHeader,
  RemotingClient,
  type RemotingCommand,
  UnRegisterBrokerRequestHeader,
} from '../../remoting/index.js'
import { type Clock, type Logger, MQError } from '../../util/index.js'
import type { BrokerIdentity } from '../identity.js'

export interface BrokerOuterApiOptions {
  clock: Clock
  logger: Logger
  policy: PeerPolicy
}

/** What a registration tells of topics. */
export interface TopicTable {
  topics: Iterable<TopicConfig>
  dataVersion: DataVersion
}

export interface Registration extends TopicTable {
  identity: BrokerIdentity
  compressed: boolean
  timeoutMs: number
}

/** What a NameServer answers to a registration. */
export interface RegisterBrokerResult {
  /** Of the master, for a slave. */
  haServerAddr?: string | undefined
  masterAddr?: string | undefined
  /** Topics with a fixed order of queues. */
  orderTopics: string[]
}

const compress = promisify(deflate)

/** The requests this broker sends to others: NameServers for now. */
export class BrokerOuterApi {
  private readonly client: RemotingClient
  private readonly closeListeners: ((address: string) => void)[] = []
  private addresses: readonly string[] = []

  constructor({ clock, logger, policy }: BrokerOuterApiOptions) {
    this.client = new RemotingClient({
      clock,
      logger,
      policy,
      onClosed: address => {
        for (const listener of this.closeListeners) listener(address)
      },
    })
  }

  get namesrvAddresses(): readonly string[] {
    return this.addresses
  }

  /** Takes other NameServers from now on. True when they are others. */
  updateNamesrvAddr(addresses: readonly string[]): boolean {
    const isSame = addresses.length === this.addresses.length && addresses.every(one => this.addresses.includes(one))
    this.addresses = addresses
    return !isSame
  }

  /** Tells of connections of ours that have gone. */
  onClosed(listener: (address: string) => void): void {
    this.closeListeners.push(listener)
  }

  /** @throws MQError of the remoting */
  invoke(address: string, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    return this.client.invoke(address, request, timeoutMs)
  }

  /** Code 103. @throws MQError of the remoting, or ERR_NAMESRV_REFUSED */
  async registerBroker(address: string, registration: Registration): Promise<RegisterBrokerResult> {
    const { identity, compressed, timeoutMs } = registration
    const body = compressed ? await compressedBody(registration) : plainBody(registration)
    const extFields = RegisterBrokerRequestHeader.encode({
      ...brokerFields(identity),
      haServerAddr: identity.haAddress,
      enableActingMaster: false,
      compressed,
      // Java compares 31 bits
      bodyCrc32: crc32(body) & 0x7fffffff,
    })
    const answer = await this.ask(address, { code: RequestCode.REGISTER_BROKER, extFields, body }, timeoutMs)
    const { haServerAddr, masterAddr } = RegisterBrokerResponseHeader.decode(answer.extFields)
    const table = readStringMap(readObject(parseFastJson(answer.body)).table)
    return { haServerAddr, masterAddr, orderTopics: [...table.keys()] }
  }

  /** Code 322: whether the NameServer does not know this version of our topics. @throws MQError */
  async needRegister(
    address: string,
    identity: BrokerIdentity,
    dataVersion: DataVersion,
    timeoutMs: number,
  ): Promise<boolean> {
    const request = {
      code: RequestCode.QUERY_DATA_VERSION,
      extFields: QueryDataVersionRequestHeader.encode(brokerFields(identity)),
      body: Buffer.from(stringifyFastJson(dataVersion)),
    }
    const answer = await this.ask(address, request, timeoutMs)
    const { changed } = QueryDataVersionResponseHeader.decode(answer.extFields)
    if (changed || answer.body.length === 0) return changed
    return !sameDataVersion(dataVersionFromJson(parseFastJson(answer.body)), dataVersion)
  }

  /** Code 217. @throws MQError */
  async registerSingleTopic(
    address: string,
    brokerName: string,
    config: TopicConfig,
    timeoutMs: number,
  ): Promise<void> {
    const { perm, readQueueNums, writeQueueNums, topicSysFlag } = config
    const queueData: QueueData = { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums }
    const request = {
      code: RequestCode.REGISTER_TOPIC_IN_NAMESRV,
      extFields: RegisterTopicRequestHeader.encode({ topic: config.topicName }),
      body: Buffer.from(stringifyFastJson({ queueDatas: [queueData] })),
    }
    await this.ask(address, request, timeoutMs)
  }

  /** Code 104. @throws MQError */
  async unregisterBroker(address: string, identity: BrokerIdentity, timeoutMs: number): Promise<void> {
    const extFields = UnRegisterBrokerRequestHeader.encode(brokerFields(identity))
    await this.ask(address, { code: RequestCode.UNREGISTER_BROKER, extFields }, timeoutMs)
  }

  stop(): void {
    this.client.stop()
  }

  private async ask(address: string, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const answer = await this.client.invoke(address, request, timeoutMs)
    if (answer.code === ResponseCode.SUCCESS) return answer
    const reason = answer.remark ?? responseCodeName(answer.code)
    throw new MQError('ERR_NAMESRV_REFUSED', `${address} answered ${answer.code} to request ${request.code}: ${reason}`)
  }
}

function brokerFields({ brokerName, address, clusterName, brokerId }: BrokerIdentity): {
  brokerName: string
  brokerAddr: string
  clusterName: string
  brokerId: number
} {
  return { brokerName, brokerAddr: address, clusterName, brokerId }
}

/** Texts of topics, which are put into words once: they are never changed, but replaced. */
const topicTexts = new WeakMap<TopicConfig, string>()

function topicText(config: TopicConfig): string {
  let text = topicTexts.get(config)
  if (text === undefined) {
    text = `${JSON.stringify(config.topicName)}:${stringifyFastJson(config)}`
    topicTexts.set(config, text)
  }
  return text
}

/** RegisterBrokerBody (wire-protocol 5.4). */
function plainBody({ topics, dataVersion }: TopicTable): Buffer {
  const version = stringifyFastJson(dataVersion)
  const mappingVersion = stringifyFastJson({ counter: 0, stateVersion: 0, timestamp: dataVersion.timestamp })
  const table = Array.from(topics, topicText).join(',')
  return Buffer.from(
    `{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":${version},` +
      `"mappingDataVersion":${mappingVersion},"topicConfigTable":{${table}},` +
      '"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}}',
  )
}

/** The compressed form: lengths and texts, then deflated. It cannot say `order` and `topicSysFlag`. */
async function compressedBody({ topics, dataVersion }: TopicTable): Promise<Buffer> {
  const lines = Array.from(topics, config => withLength(encodeTopicConfigLine(config)))
  const parts = [
    withLength(stringifyFastJson(dataVersion)),
    int32(lines.length),
    ...lines,
    withLength('[]'),
    // static topics
    int32(0),
  ]
  return compress(Buffer.concat(parts))
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([int32(bytes.length), bytes])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
