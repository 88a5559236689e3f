import { onTestFinished } from 'vitest'
import { BrokerController } from '../../src/broker/index.js'
import {
  decodeMessages,
  encodeProperties,
  type MessageExt,
  parseFastJson,
  RequestCode,
  type TopicRouteData,
  topicRouteDataFromJson,
} from '../../src/common/index.js'
import { brokerSettings } from '../../src/config/index.js'
import { NoHeader, ok, RemotingClient, type RemotingCommand, route } from '../../src/remoting/index.js'
import { type Clock, freePort, silentLogger, systemClock } from '../../src/util/index.js'
import { FaultyDisk } from '../support/faulty-disk.js'
import { ManualClock } from '../support/manual-clock.js'
import { scratchFolder } from '../support/store.js'
import type { BrokerValues } from './client-system.js'

const TIMEOUT_MS = 20_000

type Fields = Readonly<Record<string, string | number | boolean | undefined>>

export interface ScenarioSend {
  topic?: string
  body?: string | Buffer
  queueId?: number
  properties?: Readonly<Record<string, string>> | string
  defaultTopicQueueNums?: number
  code?: number
}

/** A connection to a broker that counts what the broker tells it by 40. */
export class ScenarioClient {
  /** Groups of which members came or went, one entry for each notice. */
  readonly notices: string[] = []
  private readonly remoting: RemotingClient

  constructor(private readonly address: string) {
    const notice = route({
      code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
      request: NoHeader,
      lane: 'client',
      action: 'ANY',
      handle: (_header, command) => {
        this.notices.push(command.extFields?.consumerGroup ?? '')
        return ok()
      },
    })
    this.remoting = new RemotingClient({ clock: systemClock, logger: silentLogger, routes: [notice] })
  }

  /** Any request with a JSON header. */
  call(code: number, fields: Fields = {}, body: string | Buffer = ''): Promise<RemotingCommand> {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined)
    const extFields = Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
    return this.remoting.invoke(this.address, { code, extFields, body: Buffer.from(body) }, TIMEOUT_MS)
  }

  /** Code 10 by default, 320 for batches. */
  send(send: ScenarioSend = {}): Promise<RemotingCommand> {
    const { topic = 'T', body = 'hello', queueId = 0, properties = {}, code = RequestCode.SEND_MESSAGE } = send
    const text = typeof properties === 'string' ? properties : encodeProperties(Object.entries(properties))
    const short = code !== RequestCode.SEND_MESSAGE
    const values: [name: string, short: string, value: string | number | boolean][] = [
      ['producerGroup', 'a', 'P'],
      ['topic', 'b', topic],
      ['defaultTopic', 'c', 'TBW102'],
      ['defaultTopicQueueNums', 'd', send.defaultTopicQueueNums ?? 4],
      ['queueId', 'e', queueId],
      ['sysFlag', 'f', 0],
      ['bornTimestamp', 'g', 1],
      ['flag', 'h', 0],
      ['properties', 'i', text],
      ['batch', 'm', code === RequestCode.SEND_BATCH_MESSAGE],
    ]
    return this.call(code, Object.fromEntries(values.map(([long, one, value]) => [short ? one : long, value])), body)
  }

  /** Code 11 with its own subscription (`sysFlag` 4), without waiting. */
  pull(fields: Fields = {}): Promise<RemotingCommand> {
    return this.call(RequestCode.PULL_MESSAGE, {
      consumerGroup: 'G',
      topic: 'T',
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 15_000,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
      ...fields,
    })
  }

  /** A pull that the broker holds: resolves when it does; `answer` comes when it comes. */
  async heldPull(
    fields: Fields = {},
  ): Promise<{ answer: RemotingCommand | undefined; done: Promise<RemotingCommand> }> {
    const held: { answer: RemotingCommand | undefined; done: Promise<RemotingCommand> } = {
      answer: undefined,
      done: this.pull({ sysFlag: 6, ...fields }),
    }
    held.done.then(
      answer => {
        held.answer = answer
      },
      () => undefined,
    )
    // requests of a connection are looked at in their order: when this one is answered, the pull is held
    await this.call(RequestCode.GET_MAX_OFFSET, { topic: 'T', queueId: 0 })
    return held
  }

  async messages(fields: Fields = {}): Promise<MessageExt[]> {
    const { code, body } = await this.pull(fields)
    return code === 0 ? decodeMessages(body) : []
  }

  /** Code 34 for one member of one group. */
  heartbeat(
    clientID: string,
    groupName: string,
    topics: readonly string[],
    more: object = {},
  ): Promise<RemotingCommand> {
    const consumer = {
      groupName,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: topics.map(topic => ({ topic, subString: '*', subVersion: 1, expressionType: 'TAG' })),
      ...more,
    }
    const body = JSON.stringify({ clientID, producerDataSet: [], consumerDataSet: [consumer] })
    return this.call(RequestCode.HEART_BEAT, {}, body)
  }

  /** Code 17. */
  createTopic(topic: string, values: Fields = {}): Promise<RemotingCommand> {
    return this.call(RequestCode.UPDATE_AND_CREATE_TOPIC, {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
      ...values,
    })
  }

  /** A number that an answer carries, of code 14, 29, 30 or 31. */
  async offset(code: number, fields: Fields = {}): Promise<number> {
    const answer = await this.call(code, { topic: 'T', queueId: 0, consumerGroup: 'G', ...fields })
    return answer.code === 0 ? Number(answer.extFields?.offset) : -answer.code
  }

  close(): void {
    this.remoting.stop()
  }
}

export interface ScenarioOptions {
  values?: BrokerValues
  clock?: Clock
  store?: string
}

/** A broker behind a real socket, on a clock and a disk in the hands of the test; without a NameServer unless named. */
export class ScenarioBroker extends ScenarioClient {
  readonly clock = new ManualClock()
  readonly faults = new FaultyDisk()
  controller!: BrokerController

  private constructor(
    readonly port: number,
    readonly store: string,
    private readonly options: ScenarioOptions,
  ) {
    super(`127.0.0.1:${port}`)
  }

  static async start(options: ScenarioOptions = {}): Promise<ScenarioBroker> {
    const broker = new ScenarioBroker(await freePort(), options.store ?? scratchFolder(), options)
    onTestFinished(() => broker.stop())
    await broker.startBroker()
    return broker
  }

  /** `address` as routes name it. */
  get brokerAddr(): string {
    return `127.0.0.1:${this.port}`
  }

  async startBroker(): Promise<void> {
    const settings = brokerSettings.create({
      brokerName: 'broker-a',
      brokerIP1: '127.0.0.1',
      brokerIP2: '127.0.0.1',
      listenPort: this.port,
      storePathRootDir: this.store,
      mappedFileSizeCommitLog: 1024 * 1024,
      namesrvAddr: '',
      ...this.options.values,
    })
    this.controller = new BrokerController({
      settings: settings.values,
      configuration: settings,
      clock: this.options.clock ?? this.clock,
      logger: silentLogger,
      disk: this.faults.disk,
    })
    await this.controller.start()
  }

  /** Another connection; `port` for the fast one. */
  client(port = this.port): ScenarioClient {
    const client = new ScenarioClient(`127.0.0.1:${port}`)
    onTestFinished(() => client.close())
    return client
  }

  async stop(): Promise<void> {
    this.close()
    await this.controller.stop()
  }
}

/** What a NameServer says of a topic; undefined when it knows none. */
export async function routeOf(namesrv: ScenarioClient, topic: string): Promise<TopicRouteData | undefined> {
  const answer = await namesrv.call(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic })
  return answer.code === 0 ? topicRouteDataFromJson(parseFastJson(answer.body)) : undefined
}
