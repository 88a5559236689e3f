import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { MessagePutter } from '../../../../src/broker/put/message-putter.js'
import { ScheduleMessageService } from '../../../../src/broker/schedule/schedule-message-service.js'
import { BrokerStats } from '../../../../src/broker/stats/broker-stats.js'
import { decodeMessage, encodeProperties, type MessageExt } from '../../../../src/common/index.js'
import { brokerSettings } from '../../../../src/config/index.js'
import { type MessageStore, RunningFlag } from '../../../../src/store/index.js'
import type { Logger } from '../../../../src/util/index.js'
import { eventually } from '../../../support/eventually.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { createStore, message, scratchFolder } from '../../../support/store.js'

const SCHEDULE = 'SCHEDULE_TOPIC_XXXX'
const clock = new ManualClock()
let running: Broker[] = []
afterEach(async () => {
  for (const broker of running) await broker.stop()
  running = []
})

class Broker {
  readonly log: { level: string; event: unknown }[] = []
  readonly stats = new BrokerStats({ clock })
  readonly store: MessageStore
  readonly puts: MessagePutter
  readonly schedule: ScheduleMessageService

  constructor(readonly folder = scratchFolder()) {
    const logger = this.logger()
    this.store = createStore({ rootDir: folder, clock, logger })
    this.puts = new MessagePutter(this.store)
    const settings = brokerSettings.create({ storePathRootDir: folder }, clock).values
    const { store, puts, stats } = this
    this.schedule = new ScheduleMessageService({ settings, store, puts, stats, clock, logger })
    this.puts.addRule(this.schedule.rule)
    this.store.onArrival = ({ topic, queueId }) => {
      if (topic === SCHEDULE) this.schedule.onArrival(queueId)
    }
    running.push(this)
  }

  async start(): Promise<this> {
    await this.store.start()
    this.schedule.load()
    this.schedule.start()
    return this
  }

  async stop(): Promise<void> {
    await this.schedule.stop()
    await this.store.shutdown()
  }

  /** The folder as kill -9 would leave it at this moment. */
  crashed(): string {
    const folder = scratchFolder()
    cpSync(this.folder, folder, { recursive: true })
    return folder
  }

  delay(level: number, body: string, topic = 'T'): void {
    const properties = encodeProperties([['DELAY', String(level)]])
    expect(this.puts.put(message({ topic, body: Buffer.from(body), properties }), true).status).toBe('PUT_OK')
  }

  async delivered(topic = 'T'): Promise<MessageExt[]> {
    const units = await this.store.queries.units(topic, 0, 0, 100_000)
    const records = await Promise.all(units.map(unit => this.store.queries.recordAt(unit.physicalOffset)))
    return records.map(record => decodeMessage(record!))
  }

  async bodies(count: number): Promise<string[]> {
    await eventually(() => this.store.maxOffset('T', 0) >= count, `${count} messages`)
    return (await this.delivered()).map(one => one.body.toString())
  }

  private logger(): Logger {
    const at =
      (level: string) =>
      (fields: Readonly<Record<string, unknown>>): void => {
        this.log.push({ level, event: fields.event })
      }
    const logger: Logger = {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: () => logger,
    }
    return logger
  }
}

describe('delivery', () => {
  test('a refused put is tried again until it works; the level keeps its order and gets each message once', async () => {
    const broker = await new Broker().start()
    broker.delay(1, 'a')
    broker.delay(1, 'b')
    broker.store.flags.set(RunningFlag.DISK_FULL, 'the disk is full')
    await clock.advance(5_000)
    expect(await broker.delivered()).toEqual([])
    expect(broker.log.filter(line => line.event === 'delayed-message-refused')).toHaveLength(1)
    broker.store.flags.clear(RunningFlag.DISK_FULL)
    await clock.advance(100)
    expect(await broker.bodies(2)).toEqual(['a', 'b'])
    await clock.advance(5_000)
    expect(await broker.bodies(2)).toEqual(['a', 'b'])
  })

  test('a message stored a millisecond after another comes a millisecond after it', async () => {
    const broker = await new Broker().start()
    broker.delay(1, 'a')
    await clock.advance(1)
    broker.delay(1, 'b')
    await clock.advance(999)
    expect(await broker.bodies(1)).toEqual(['a'])
    await clock.advance(1)
    expect(await broker.bodies(2)).toEqual(['a', 'b'])
    const [a, b] = await broker.delivered()
    expect(b!.storeTimestamp - a!.storeTimestamp).toBe(1)
  })

  test('a record that cannot be read from the disk stops its level, not the others, and comes 10 s later', async () => {
    const broker = await new Broker().start()
    broker.delay(1, 'a')
    broker.delay(2, 'b')
    const { queries } = broker.store
    const recordAt = queries.recordAt.bind(queries)
    let failures = 0
    const recordInMemory = queries.recordInMemory.bind(queries)
    queries.recordInMemory = offset => (offset === 0 && failures === 0 ? undefined : recordInMemory(offset))
    queries.recordAt = offset => {
      if (offset > 0 || failures++ > 0) return recordAt(offset)
      return Promise.reject(new Error('EIO: the disk is broken'))
    }
    await clock.advance(5_000)
    expect(await broker.bodies(1)).toEqual(['b'])
    expect(broker.log).toContainEqual({ level: 'error', event: 'delay-delivery-failed' })
    await clock.advance(6_000)
    expect(await broker.bodies(2)).toEqual(['b', 'a'])
  })

  test('what does not say where it belongs, and halves of transactions, are passed over with an error', async () => {
    const broker = await new Broker().start()
    const wait = (properties: [string, string][]) =>
      broker.store.append(
        message({ topic: SCHEDULE, queueId: 0, properties: encodeProperties([['DELAY', '1'], ...properties]) }),
      )
    wait([])
    wait([['REAL_TOPIC', 'T']])
    wait([
      ['REAL_TOPIC', 'T'],
      ['REAL_QID', '-3'],
    ])
    wait([
      ['REAL_TOPIC', 'RMQ_SYS_TRANS_HALF_TOPIC'],
      ['REAL_QID', '0'],
    ])
    broker.delay(1, 'good')
    await clock.advance(1_000)
    expect(await broker.bodies(1)).toEqual(['good'])
    expect(broker.log.filter(line => line.event === 'delayed-message-skipped')).toHaveLength(4)
    expect(broker.store.maxOffset('RMQ_SYS_TRANS_HALF_TOPIC', 0)).toBe(0)
  })

  test('3 000 messages due together are delivered, in order, while other work goes on', async () => {
    const broker = await new Broker().start()
    for (let i = 0; i < 3_000; i++) broker.delay(1, String(i))
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    await clock.advance(1_000)
    count()
    const bodies = await broker.bodies(3_000)
    isOver = true
    expect(bodies).toEqual(Array.from({ length: 3_000 }, (_, i) => String(i)))
    expect(turns).toBeGreaterThan(40)
  })

  test('deliveries are counted as Java counts them', async () => {
    const broker = await new Broker().start()
    broker.stats.start()
    broker.delay(1, 'a')
    await clock.advance(1_000)
    await broker.bodies(1)
    await clock.advance(10_000)
    expect(broker.stats.view('GROUP_GET_NUMS', `${SCHEDULE}@SCHEDULE_CONSUMER`, 'C')?.statsMinute.sum).toBe(1)
    expect(broker.stats.view('TOPIC_PUT_NUMS', 'T', 'C')?.statsMinute.sum).toBe(1)
    expect([...broker.schedule.runtimeInfo()]).toEqual([['scheduleMessageOffset_1', '1,1']])
    broker.stats.stop()
  })
})

describe('after a crash', () => {
  test('nothing is lost; what was delivered since the last save may come twice', async () => {
    const before = await new Broker().start()
    before.delay(1, 'a')
    await clock.advance(1_000)
    await before.bodies(1)
    before.delay(3, 'b')
    const after = await new Broker(before.crashed()).start()
    expect(after.store.recovery?.isAfterCrash).toBe(true)
    await clock.advance(10_000)
    const bodies = await after.bodies(3)
    expect([...bodies].sort()).toEqual(['a', 'a', 'b'])
  })

  test('an offset is saved only when what it stands for is on the disk', async () => {
    const broker = await new Broker().start()
    broker.delay(1, 'a')
    await clock.advance(1_000)
    await broker.bodies(1)
    const { whenDurable } = broker.store
    broker.store.whenDurable = () => Promise.resolve('FLUSH_DISK_TIMEOUT')
    await clock.advance(10_000)
    await eventually(() => broker.log.some(line => line.event === 'delay-offsets-not-saved'))
    const file = join(broker.folder, 'config', 'delayOffset.json')
    expect(() => readFileSync(file)).toThrow(/ENOENT/)
    broker.store.whenDurable = whenDurable
    await clock.advance(10_000)
    const saved = (): string => {
      try {
        return readFileSync(file, 'utf8')
      } catch {
        return ''
      }
    }
    await eventually(() => saved().replaceAll(/\s/g, '').includes('{1:1}'))
  })
})

describe('Java', () => {
  test('its delayOffset.json is read: bare keys and quoted ones', async () => {
    for (const offsets of ['{1:4,2:1,16:0\n\t}', '{"1":4,"2":1,"16":0}']) {
      const broker = new Broker()
      const { store } = broker
      await store.start()
      for (let i = 0; i < 6; i++) broker.delay(1, String(i))
      mkdirSync(join(broker.folder, 'config'), { recursive: true })
      const text = `{\n\t"dataVersion":{\n\t\t"counter":9,\n\t\t"stateVersion":0,\n\t\t"timestamp":1\n\t},\n\t"offsetTable":${offsets}\n}`
      writeFileSync(join(broker.folder, 'config', 'delayOffset.json'), text)
      broker.schedule.load()
      broker.schedule.start()
      await clock.advance(1_000)
      expect(await broker.bodies(2)).toEqual(['4', '5'])
    }
  })
})
