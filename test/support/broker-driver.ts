import { decodeMessages, encodeProperties, type MessageExt, RequestCode } from '../../src/common/index.js'
import { type CometMQ, type StartCometMQOptions, startCometMQ } from '../../src/embed.js'
import type { RemotingCommand } from '../../src/remoting/index.js'
import { ManualClock } from './manual-clock.js'
import { RawClient } from './raw-client.js'
import { scratchFolder } from './store.js'

export interface DrivenSend {
  topic: string
  body?: string
  queueId?: number
  properties?: Readonly<Record<string, string>>
  sysFlag?: number
  reconsumeTimes?: number
  maxReconsumeTimes?: number
  version?: number
}

export interface DrivenSendBack {
  message: Pick<MessageExt, 'commitLogOffset' | 'offsetMsgId' | 'topic'>
  group: string
  delayLevel?: number
  maxReconsumeTimes?: number
  reason?: string
  version?: number
}

type BrokerKeys = NonNullable<StartCometMQOptions['broker']>

/** A NameServer and a broker behind real sockets, on a clock that the test turns, driven request by request. */
export class BrokerDriver {
  readonly clock = new ManualClock()
  readonly store = scratchFolder()
  private mq: CometMQ | undefined
  private client: RawClient | undefined

  static async start(broker: BrokerKeys = {}): Promise<BrokerDriver> {
    const driver = new BrokerDriver()
    await driver.start(broker)
    return driver
  }

  async start(broker: BrokerKeys = {}): Promise<void> {
    const files = { mappedFileSizeCommitLog: 1024 * 1024, mappedFileSizeConsumeQueue: 2000 }
    this.mq = await startCometMQ({ store: this.store, clock: this.clock, broker: { ...files, ...broker } })
    this.client = await RawClient.open(Number(this.mq.brokerAddr.split(':')[1]))
  }

  async stop(): Promise<void> {
    this.client?.close()
    await this.mq?.stop()
    this.mq = this.client = undefined
  }

  get namesrvAddr(): string {
    return this.mq!.namesrvAddr
  }

  get brokerAddr(): string {
    return this.mq!.brokerAddr
  }

  call(
    code: number,
    extFields: Record<string, unknown>,
    { body = '', version = 479 }: { body?: string; version?: number } = {},
  ): Promise<RemotingCommand> {
    const given = Object.entries(extFields).filter(([, value]) => value !== undefined)
    const fields = Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
    return this.client!.call({ code, extFields: fields, body, version })
  }

  /** Code 10. */
  send({
    topic,
    body = 'hello',
    queueId = 0,
    properties = {},
    version,
    ...more
  }: DrivenSend): Promise<RemotingCommand> {
    const fields = {
      producerGroup: 'P',
      topic,
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 4,
      queueId,
      sysFlag: 0,
      bornTimestamp: this.clock.now(),
      flag: 7,
      properties: encodeProperties(Object.entries(properties)),
      unitMode: false,
      ...more,
    }
    return this.call(RequestCode.SEND_MESSAGE, fields, { body, ...(version === undefined ? {} : { version }) })
  }

  /** Code 36. */
  sendBack({ message, group, delayLevel = 0, version, ...more }: DrivenSendBack): Promise<RemotingCommand> {
    const fields = {
      offset: message.commitLogOffset,
      group,
      delayLevel,
      originMsgId: message.offsetMsgId,
      originTopic: message.topic,
      unitMode: false,
      ...more,
    }
    return this.call(RequestCode.CONSUMER_SEND_MSG_BACK, fields, version === undefined ? {} : { version })
  }

  /** What a queue holds from `offset` on; never waits. */
  async pull(topic: string, queueId = 0, offset = 0, more: Record<string, string> = {}): Promise<MessageExt[]> {
    const answer = await this.call(RequestCode.PULL_MESSAGE, {
      consumerGroup: 'TOOLS_CONSUMER',
      topic,
      queueId,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
      ...more,
    })
    return answer.code === 0 ? decodeMessages(answer.body) : []
  }

  /** Of all queues of a topic, one after the other. */
  async pullAll(topic: string, queues: number): Promise<MessageExt[]> {
    const found: MessageExt[] = []
    for (let queueId = 0; queueId < queues; queueId++) found.push(...(await this.pull(topic, queueId)))
    return found
  }
}
