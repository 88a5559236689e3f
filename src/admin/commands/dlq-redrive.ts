import { type AdminClient, MQClientError } from '../../client/index.js'
import {
  compressBody,
  encodeProperties,
  isWriteable,
  type MessageExt,
  MessageSysFlag,
  masterAddr,
  PropertyName,
  RequestCode,
  ResponseCode,
  reservedPropertyNames,
  retryTopic,
  SystemTopic,
} from '../../common/index.js'
import { SendMessageRequestHeaderV2, SendMessageResponseHeader } from '../../remoting/index.js'
import { errorText, MQError } from '../../util/index.js'
import { findRoute } from '../brokers.js'
import { messageId } from '../message-text.js'
import { originTopic } from './dlq-letters.js'

/**
 * - `redriven`: stored again now.
 * - `already`: an earlier run has done it.
 * - `pending`: would be sent (dry run).
 * - `refused`: a broker said no, or the dead letter does not say where it belongs.
 * - `unknown`: no answer came, and no copy is to be found: the next run looks again before it sends.
 */
export type RedriveOutcome = 'redriven' | 'already' | 'pending' | 'refused' | 'unknown'

export interface RedriveResult {
  msgId: string
  /** Of the dead letter. */
  offsetMsgId: string
  outcome: RedriveOutcome
  topic?: string | undefined
  /** Offset id of the copy. */
  copyId?: string | undefined
  detail?: string | undefined
}

type Outcome = Omit<RedriveResult, 'msgId' | 'offsetMsgId'>

export interface RedriveOptions {
  group: string
  isDryRun: boolean
  /** To the retry topic: other groups of the topic do not get it again. */
  isOnlyGroup: boolean
}

/**
 * Names on the copy the dead letter it was made from. It is the mark of progress: stored in one piece with the copy
 * and found by the unique key, so a run that was cut off anywhere, on any machine, is taken up without sending twice.
 */
const MARK = 'DLQ_REDRIVEN_FROM'
const PRODUCER_GROUP = 'MQADMIN_DLQ_REDRIVE'
const SEND_TIMEOUT_MS = 5000
/** As clients do. */
const COMPRESS_OVER = 4096
/** What a broker gives at most for a unique key unless it is set otherwise. */
const PAGE = 32

const STORED: readonly number[] = [
  ResponseCode.SUCCESS,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
]

interface Target {
  address: string
  brokerName: string
  writeQueueNums: number
}

/** Sends dead letters again to the topic they came from, each at most once. */
export class DeadLetterRedrive {
  /** By topic; undefined for one that cannot be sent to. */
  private readonly targets = new Map<string, readonly Target[]>()

  constructor(
    private readonly admin: AdminClient,
    private readonly options: RedriveOptions,
  ) {}

  /** @throws MQError ERR_DLQ_NO_INDEX when nobody can tell what was sent already */
  async redrive(letter: MessageExt): Promise<RedriveResult> {
    const result = { msgId: messageId(letter), offsetMsgId: letter.offsetMsgId }
    try {
      return { ...result, ...(await this.sendOnce(letter)) }
    } catch (error) {
      if (!(error instanceof MQClientError)) throw error
      return { ...result, outcome: 'unknown', detail: errorText(error) }
    }
  }

  private async sendOnce(letter: MessageExt): Promise<Outcome> {
    const { group, isDryRun, isOnlyGroup } = this.options
    const origin = originTopic(letter)
    if (origin === undefined) {
      return { outcome: 'refused', detail: `it has no property ${PropertyName.RETRY_TOPIC}` }
    }
    const topic = isOnlyGroup ? retryTopic(group) : origin
    const target = pick(await this.targetsOf(topic), letter.brokerName)
    if (target === undefined) {
      return { outcome: 'refused', topic, detail: 'no broker takes messages of the topic: was it deleted?' }
    }
    const copyId = await this.copyOf(letter, [origin, retryTopic(group)])
    if (copyId !== undefined) return { outcome: 'already', topic, copyId }
    if (isDryRun) return { outcome: 'pending', topic }
    return { topic, ...(await this.send(letter, topic, target)) }
  }

  private async send(letter: MessageExt, topic: string, target: Target): Promise<Outcome> {
    try {
      const answer = await this.admin.invokeBroker(target.address, RequestCode.SEND_MESSAGE_V2, {
        ...(await requestOf(letter, topic, target)),
        timeoutMs: SEND_TIMEOUT_MS,
        accept: STORED,
      })
      const { msgId } = SendMessageResponseHeader.decode(answer.extFields)
      return { outcome: 'redriven', copyId: msgId }
    } catch (error) {
      if (error instanceof MQClientError && error.code === 'ERR_CLIENT_RESPONSE') {
        return { outcome: 'refused', detail: errorText(error) }
      }
      // the request may have arrived although its answer did not
      const copyId = await this.copyOf(letter, [topic]).catch(() => undefined)
      return copyId === undefined ? { outcome: 'unknown', detail: errorText(error) } : { outcome: 'redriven', copyId }
    }
  }

  /** Offset id of the copy that an earlier send has left. */
  private async copyOf(letter: MessageExt, topics: readonly string[]): Promise<string | undefined> {
    for (const topic of topics) {
      if ((await this.targetsOf(topic)).length === 0) continue
      for await (const { properties, offsetMsgId } of this.sameMessages(topic, messageId(letter))) {
        if (properties.get(MARK) === letter.offsetMsgId) return offsetMsgId
      }
    }
    return undefined
  }

  /** Everything in a topic with this unique key, the newest first; a broker gives a page of it at a time. */
  private async *sameMessages(topic: string, uniqueKey: string): AsyncGenerator<MessageExt> {
    const seen = new Set<string>()
    let endTimestamp = Number.MAX_SAFE_INTEGER
    for (;;) {
      const query = { topic, key: uniqueKey, maxNum: PAGE, beginTimestamp: 0, endTimestamp, uniqueKey: true }
      const page = (await this.admin.queryMessages(query)).filter(({ offsetMsgId }) => !seen.has(offsetMsgId))
      if (page.length === 0) return
      for (const message of page) {
        seen.add(message.offsetMsgId)
        endTimestamp = Math.min(endTimestamp, message.storeTimestamp)
        yield message
      }
    }
  }

  private async targetsOf(topic: string): Promise<readonly Target[]> {
    let targets = this.targets.get(topic)
    if (targets === undefined) this.targets.set(topic, (targets = await this.lookUp(topic)))
    return targets
  }

  /** Brokers that take messages of the topic. @throws MQError ERR_DLQ_NO_INDEX */
  private async lookUp(topic: string): Promise<Target[]> {
    const route = await findRoute(this.admin, topic)
    if (route === undefined) return []
    const targets = route.queueDatas.flatMap(({ brokerName, perm, writeQueueNums }) => {
      const broker = route.brokerDatas.find(data => data.brokerName === brokerName)
      const address = broker && masterAddr(broker)
      const isOpen = isWriteable(perm) && writeQueueNums > 0
      return address !== undefined && isOpen ? [{ address, brokerName, writeQueueNums }] : []
    })
    for (const { address, brokerName } of targets) {
      if ((await this.admin.brokerConfig(address)).get('messageIndexEnable') !== 'false') continue
      throw new MQError(
        'ERR_DLQ_NO_INDEX',
        `${brokerName} keeps no index (messageIndexEnable=false), so nobody can tell which dead letters were sent ` +
          'again already: switch it on, or send them by hand with mqadmin sendMessage',
      )
    }
    return targets
  }
}

/** The broker that has the dead letter, if it has the topic too. */
function pick(targets: readonly Target[], brokerName: string | undefined): Target | undefined {
  return targets.find(target => target.brokerName === brokerName) ?? targets[0]
}

async function requestOf(letter: MessageExt, topic: string, target: Target) {
  const isPacked = letter.body.length >= COMPRESS_OVER
  const header = SendMessageRequestHeaderV2.encode({
    producerGroup: PRODUCER_GROUP,
    topic,
    defaultTopic: SystemTopic.AUTO_CREATE_TOPIC_KEY,
    defaultTopicQueueNums: target.writeQueueNums,
    queueId: Math.floor(Math.random() * target.writeQueueNums),
    sysFlag: isPacked ? MessageSysFlag.COMPRESSED : 0,
    bornTimestamp: letter.bornTimestamp,
    flag: letter.flag,
    properties: encodeProperties(propertiesOf(letter, topic)),
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
    bname: target.brokerName,
  })
  return { header, body: isPacked ? await compressBody(letter.body, 'ZLIB') : letter.body }
}

/** What the sender said of it, where it came from, and the mark; its retries begin anew. */
function propertiesOf(letter: MessageExt, topic: string): Map<string, string> {
  const properties = new Map([...letter.properties].filter(([name]) => !reservedPropertyNames.has(name)))
  for (const name of [PropertyName.TAGS, PropertyName.KEYS, PropertyName.ORIGIN_MESSAGE_ID]) {
    const value = letter.properties.get(name)
    if (value !== undefined) properties.set(name, value)
  }
  const origin = originTopic(letter)
  if (origin !== undefined && topic !== origin) properties.set(PropertyName.RETRY_TOPIC, origin)
  properties.set(PropertyName.UNIQ_KEY, messageId(letter))
  properties.set(MARK, letter.offsetMsgId)
  return properties
}
