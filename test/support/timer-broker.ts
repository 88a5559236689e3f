import { closeSync, cpSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { storeHostOf } from '../../src/broker/identity.js'
import { MessagePutter } from '../../src/broker/put/message-putter.js'
import { BrokerStats } from '../../src/broker/stats/broker-stats.js'
import { deleteKeyOf } from '../../src/broker/timer/slot-delivery.js'
import { timerRule } from '../../src/broker/timer/timer-rule.js'
import { TimerService } from '../../src/broker/timer/timer-service.js'
import { decodeMessages, encodeProperties, type MessageExt } from '../../src/common/index.js'
import { brokerSettings } from '../../src/config/index.js'
import { MessageStore } from '../../src/store/index.js'
import { type Clock, type Disk, silentLogger, systemDisk } from '../../src/util/index.js'
import { testIdentity } from './broker-parts.js'
import type { ManualClock } from './manual-clock.js'
import { message, scratchFolder } from './store.js'

export type TimerBrokerSettings = Parameters<typeof brokerSettings.create>[0]

export interface TimerBrokerOptions<C extends Clock> {
  folder?: string
  clock: C
  settings?: TimerBrokerSettings
  disk?: Disk
}

const TURNS_TO_REST = 3
const PAGE = 4096
const ZEROS = Buffer.alloc(PAGE)

/** The timer of a broker on a real store, without sockets. */
export class TimerBroker<C extends Clock = ManualClock> {
  readonly store: MessageStore
  readonly puts: MessagePutter
  readonly service: TimerService

  private constructor(
    readonly folder: string,
    private readonly options: TimerBrokerOptions<C>,
  ) {
    const { clock, disk = systemDisk } = options
    const settings = brokerSettings.create({
      storePathRootDir: folder,
      mappedFileSizeCommitLog: 1024 * 1024,
      mappedFileSizeConsumeQueue: 20_000,
      mappedFileSizeTimerLog: 5216,
      maxHashSlotNum: 1000,
      maxIndexNum: 4000,
      ...options.settings,
    }).values
    const parts = { settings, clock, logger: silentLogger, disk }
    this.store = new MessageStore({ ...parts, storeHost: storeHostOf(testIdentity) })
    this.puts = new MessagePutter(this.store)
    const stats = new BrokerStats({ clock })
    this.service = new TimerService({ ...parts, store: this.store, stats, topicExists: () => true })
    this.puts.addRule(timerRule({ settings, clock, wheel: this.service.timer.wheel }))
  }

  static async open<C extends Clock>(options: TimerBrokerOptions<C>): Promise<TimerBroker<C>> {
    const broker = new TimerBroker(options.folder ?? scratchFolder(), options)
    await broker.store.start()
    await broker.service.start()
    return broker
  }

  get clock(): C {
    return this.options.clock
  }

  /** Ends gracefully and starts again on the same folder. */
  async restart(): Promise<TimerBroker<C>> {
    await this.stop()
    return TimerBroker.open({ ...this.options, folder: this.folder })
  }

  /** Starts again from what the files hold at this moment, as after kill -9. */
  async killed(): Promise<TimerBroker<C>> {
    const folder = scratchFolder()
    const wheel = join(this.folder, 'timerwheel')
    copyWhileChanging(this.folder, folder, path => path !== wheel)
    copySparse(wheel, join(folder, 'timerwheel'))
    await this.dispose()
    return TimerBroker.open({ ...this.options, folder })
  }

  /** Stops and removes the folder: wheels are large. */
  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true })
  }

  async stop(): Promise<void> {
    await this.service.stop()
    await this.store.shutdown()
  }

  /** Sends with timer properties; the body is the unique key. Gives the status. */
  send(id: string, properties: Readonly<Record<string, string>>, topic = 'T'): string {
    const text = encodeProperties([['UNIQ_KEY', id], ...Object.entries(properties)])
    return this.puts.put(message({ topic, body: Buffer.from(id), properties: text }), true).status
  }

  /** As a recall by handle does. */
  recall(id: string, outTime: number, topic = 'T'): string {
    const properties = { TIMER_DEL_UNIQKEY: deleteKeyOf(topic, id), TIMER_DELIVER_MS: String(outTime + 1) }
    return this.send(id, properties, topic)
  }

  /** What has been delivered to queue 0 of a topic, from `offset` on. */
  async delivered(topic = 'T', offset = 0): Promise<MessageExt[]> {
    const found: MessageExt[] = []
    for (let at = offset; at < this.store.maxOffset(topic, 0); ) {
      const result = await this.store.getMessage({ group: 'g', topic, queueId: 0, offset: at, maxMsgNums: 32 })
      for (const slice of result?.slices ?? []) found.push(...decodeMessages(Buffer.from(slice)))
      at = result?.nextBeginOffset ?? this.store.maxOffset(topic, 0)
      result?.release()
    }
    return found
  }
}

/** A file that is being replaced on the pool may go between listing and copying: then once more. */
function copyWhileChanging(from: string, to: string, filter: (path: string) => boolean): void {
  for (let left = 10; ; left--) {
    try {
      cpSync(from, to, { recursive: true, filter })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || left === 0) throw error
      rmSync(to, { recursive: true, force: true })
    }
  }
}

/** The wheel is a large file of mostly zeros. */
function copySparse(from: string, to: string): void {
  const bytes = readFileSync(from)
  const file = openSync(to, 'w')
  ftruncateSync(file, bytes.length)
  for (let at = 0; at < bytes.length; at += PAGE) {
    const page = bytes.subarray(at, at + PAGE)
    if (!page.equals(ZEROS)) writeSync(file, page, 0, page.length, at)
  }
  closeSync(file)
}

/** Turns the clock in the steps in which the timer looks, and lets it end its work. */
export async function passTime(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) await clock.advance(Math.min(100, left))
  for (let turn = 0; turn < TURNS_TO_REST; turn++) await clock.advance(0)
}
