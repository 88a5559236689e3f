import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ClientChannelInfo } from '../../src/broker/client/client-channel.js'
import { ClientNotifier } from '../../src/broker/client/client-notifier.js'
import { ConsumerManager } from '../../src/broker/client/consumer-manager.js'
import { ProducerManager } from '../../src/broker/client/producer-manager.js'
import { storeHostOf } from '../../src/broker/identity.js'
import { ConsumerOffsetManager } from '../../src/broker/offset/consumer-offset-manager.js'
import { MessagePutter } from '../../src/broker/put/message-putter.js'
import { delayLevelRule } from '../../src/broker/schedule/delay-level-rule.js'
import type { BrokerSettings } from '../../src/broker/settings.js'
import { BrokerStats } from '../../src/broker/stats/broker-stats.js'
import { TopicConfigManager } from '../../src/broker/topic/topic-config-manager.js'
import { halfMessageRule } from '../../src/broker/transaction/half-message-rule.js'
import { TransactionalMessageService } from '../../src/broker/transaction/transactional-message-service.js'
import {
  decodeMessages,
  encodeProperties,
  type MessageExt,
  MessageSysFlag,
  SystemTopic,
} from '../../src/common/index.js'
import { brokerSettings } from '../../src/config/index.js'
import { CheckTransactionStateRequestHeader } from '../../src/remoting/index.js'
import { MessageStore } from '../../src/store/index.js'
import { silentLogger } from '../../src/util/index.js'
import { testIdentity } from './broker-parts.js'
import { FakeConnection } from './fake-connection.js'
import { ManualClock } from './manual-clock.js'
import { message } from './store.js'

export type Settings = Parameters<typeof brokerSettings.create>[0]

/** What a producer knows of a half message it has sent. */
export interface SentHalf {
  id: string
  queueOffset: number
  commitLogOffset: number
}

/** A check as a producer gets it. */
export interface ReceivedCheck {
  client: FakeConnection
  half: SentHalf
  message: MessageExt
}

export const REAL_TOPIC = 'Payments'
export const GROUP = 'Payers'

/** A folder that goes with the test. */
export function transactionFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cometmq-transactions-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The transaction service of a broker on a real store, without sockets, on a clock the test turns. */
export class TransactionBroker {
  readonly store: MessageStore
  readonly offsets: ConsumerOffsetManager
  readonly producers: ProducerManager
  readonly puts: MessagePutter
  readonly topics: TopicConfigManager
  readonly transactions: TransactionalMessageService
  readonly clients: FakeConnection[] = []

  private constructor(
    readonly folder: string,
    readonly clock: ManualClock,
    readonly settings: Settings,
  ) {
    const values = brokerSettings.create({
      storePathRootDir: folder,
      mappedFileSizeCommitLog: 1024 * 1024,
      mappedFileSizeConsumeQueue: 20_000,
      maxHashSlotNum: 1000,
      maxIndexNum: 4000,
      ...settings,
    }).values
    const parts = { settings: values as BrokerSettings, clock, logger: silentLogger }
    const identity = testIdentity
    this.store = new MessageStore({ settings: values, clock, logger: silentLogger, storeHost: storeHostOf(identity) })
    this.puts = new MessagePutter(this.store)
    this.offsets = new ConsumerOffsetManager(parts)
    this.producers = new ProducerManager(parts)
    this.topics = new TopicConfigManager({ ...parts, identity })
    const { store, puts, offsets, producers, topics } = this
    const notifier = new ClientNotifier({ ...parts, producers, consumers: new ConsumerManager(parts) })
    const stats = new BrokerStats({ clock })
    puts.addRule(halfMessageRule(values))
    puts.addRule(delayLevelRule(store.delayLevels))
    this.transactions = new TransactionalMessageService({
      ...parts,
      identity,
      store,
      puts,
      offsets,
      producers,
      topics,
      notifier,
      stats,
    })
  }

  static async open(
    options: { folder?: string; clock?: ManualClock; settings?: Settings } = {},
  ): Promise<TransactionBroker> {
    const { folder = transactionFolder(), clock = new ManualClock(), settings = {} } = options
    const broker = new TransactionBroker(folder, clock, settings)
    await broker.store.start()
    broker.topics.load()
    broker.offsets.load()
    await broker.transactions.load()
    broker.offsets.start()
    broker.transactions.start()
    return broker
  }

  /** Ends gracefully and starts again on the same folder. */
  async restart(settings: Settings = this.settings): Promise<TransactionBroker> {
    await this.stop()
    return TransactionBroker.open({ folder: this.folder, clock: this.clock, settings })
  }

  /** Starts again from what the files hold at this moment, as after kill -9. */
  async killed(): Promise<TransactionBroker> {
    const folder = transactionFolder()
    copyFolder(this.folder, folder)
    await this.stop()
    return TransactionBroker.open({ folder, clock: this.clock, settings: this.settings })
  }

  async stop(): Promise<void> {
    await this.transactions.stop()
    await this.offsets.stop()
    await this.topics.stop()
    await this.store.shutdown()
  }

  /** A producer of a group comes online. */
  join(clientId = `client-${this.clients.length}`, group = GROUP): FakeConnection {
    const connection = new FakeConnection()
    this.clients.push(connection)
    const channel: ClientChannelInfo = {
      connection,
      clientId,
      language: 0,
      version: 479,
      lastUpdateTimestamp: this.clock.now(),
    }
    this.producers.registerProducer(group, channel)
    return connection
  }

  sendHalf(id: string, properties: Record<string, string> = {}, overrides: { bornTimestamp?: number } = {}): SentHalf {
    const result = this.puts.put(
      message({
        topic: REAL_TOPIC,
        queueId: 3,
        flag: 7,
        sysFlag: MessageSysFlag.TRANSACTION_PREPARED_TYPE,
        bornTimestamp: this.clock.now(),
        body: Buffer.from(`body of ${id}`),
        properties: encodeProperties(
          Object.entries({ TRAN_MSG: 'true', PGROUP: GROUP, UNIQ_KEY: id, KEYS: `key-${id}`, ...properties }),
        ),
        ...overrides,
      }),
      true,
    )
    if (result.status !== 'PUT_OK') throw new Error(`half message refused: ${result.status}`)
    return { id, queueOffset: result.queueOffset, commitLogOffset: result.physicalOffset }
  }

  /** Sends END_TRANSACTION; rejects with the ResponseError that is the answer. */
  async end(half: SentHalf, decision: number, header: { group?: string; check?: boolean; remark?: string } = {}) {
    return this.transactions.end(
      {
        producerGroup: header.group ?? GROUP,
        tranStateTableOffset: half.queueOffset,
        commitLogOffset: half.commitLogOffset,
        commitOrRollback: decision,
        fromTransactionCheck: header.check ?? false,
        msgId: half.id,
      },
      { client: '10.0.0.9:1234', remark: header.remark },
    )
  }

  commit(half: SentHalf, check = false) {
    return this.end(half, MessageSysFlag.TRANSACTION_COMMIT_TYPE, { check })
  }

  rollback(half: SentHalf, check = false) {
    return this.end(half, MessageSysFlag.TRANSACTION_ROLLBACK_TYPE, { check })
  }

  /** Checks that producers got since this was last called. */
  takeChecks(): ReceivedCheck[] {
    return this.clients.flatMap(client =>
      client.sent.splice(0).map(request => {
        const header = CheckTransactionStateRequestHeader.decode(request.extFields)
        const [decoded] = decodeMessages(Buffer.from(request.body as Buffer))
        const half = {
          id: header.transactionId!,
          queueOffset: header.tranStateTableOffset,
          commitLogOffset: header.commitLogOffset,
        }
        return { client, half, message: decoded! }
      }),
    )
  }

  /** Turns the clock to the next round of checks and waits for its end. */
  async round(ms = 30_000): Promise<ReceivedCheck[]> {
    await this.clock.advance(ms)
    await this.transactions.checks.settled()
    return this.takeChecks()
  }

  /** Every message of a queue that consumers could get. */
  async messages(topic: string, queueId = 0): Promise<MessageExt[]> {
    const found: MessageExt[] = []
    for (let offset = this.store.minOffset(topic, queueId); offset < this.store.maxOffset(topic, queueId); ) {
      const got = await this.store.getMessage({ group: 'test', topic, queueId, offset, maxMsgNums: 32 })
      if (got === undefined) throw new Error('the store is not readable')
      for (const slice of got.slices) found.push(...decodeMessages(Buffer.from(slice)))
      got.release()
      offset = Math.max(offset + 1, got.nextBeginOffset)
    }
    return found
  }

  /** Transaction ids of the committed messages, in order. */
  async delivered(topic = REAL_TOPIC): Promise<string[]> {
    return (await this.messages(topic, 3)).map(found => found.properties.get('UNIQ_KEY')!)
  }

  async openIds(): Promise<string[]> {
    const { transactions } = await this.transactions.open.list({ maxNum: 10_000 })
    return transactions.map(({ transactionId }) => transactionId)
  }

  opMessages(): Promise<MessageExt[]> {
    return this.messages(SystemTopic.TRANS_OP_HALF)
  }

  halfMessages(): Promise<MessageExt[]> {
    return this.messages(SystemTopic.TRANS_HALF)
  }

  /** Without the notes that tell what became of them. */
  async givenUp(): Promise<MessageExt[]> {
    const all = await this.messages(SystemTopic.TRANS_CHECK_MAX_TIME)
    return all.filter(({ properties }) => !properties.has('COMET_OUTCOME'))
  }
}

/** Files that are being replaced come and go: what vanished while it was copied is copied anew. */
function copyFolder(from: string, to: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      cpSync(from, to, { recursive: true })
      return
    } catch (error) {
      if (attempt === 10) throw error
      rmSync(to, { recursive: true, force: true })
    }
  }
}
