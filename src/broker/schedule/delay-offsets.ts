import { type JsonObject, readNumber, readObject, stringifyFastJson } from '../../common/index.js'
import type { MessageStore } from '../../store/index.js'
import { type Clock, type Logger, PeriodicTask } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import { VersionedFile } from '../versioned-file.js'

export interface DelayOffsetsOptions {
  settings: Pick<BrokerSettings, 'storePathRootDir' | 'flushDelayOffsetInterval' | 'delayOffsetUpdateVersionStep'>
  store: Pick<MessageStore, 'whenDurable'>
  clock: Clock
  logger: Logger
}

/**
 * The next message to deliver of each delay level, kept in `config/delayOffset.json`. What the file says is never ahead
 * of what is on the disk: after a power cut a delivered message may be delivered again, and none is left out.
 */
export class DelayOffsets {
  private readonly byLevel = new Map<number, number>()
  /** As they are written; behind {@link byLevel}. */
  private saved: ReadonlyMap<number, number> = new Map()
  private readonly file: VersionedFile
  private readonly task: PeriodicTask
  private moves = 0
  private isChanged = false
  /** End in the log of the last delivery. */
  private deliveredEnd = 0

  constructor(private readonly options: DelayOffsetsOptions) {
    const { settings, clock, logger } = options
    this.file = new VersionedFile({
      rootDir: settings.storePathRootDir,
      name: 'delayOffset.json',
      clock,
      logger,
      encode: () => [this.encode()],
      decode: json => this.decode(json),
    })
    this.task = new PeriodicTask({
      name: 'save of delay offsets',
      periodMs: settings.flushDelayOffsetInterval,
      clock,
      logger,
      run: () => (this.isChanged ? this.persist() : undefined),
    })
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    this.file.load()
  }

  start(): void {
    this.task.start()
  }

  /** Levels that have an offset. */
  get levels(): readonly number[] {
    return [...this.byLevel.keys()]
  }

  /** Offset in the level's queue of the next message to deliver; 0 when nothing is known. */
  get(level: number): number {
    return this.byLevel.get(level) ?? 0
  }

  /** @param deliveredEnd end in the log of the message that was delivered; 0 when none was. */
  moveTo(level: number, offset: number, deliveredEnd = 0): void {
    this.byLevel.set(level, offset)
    this.deliveredEnd = Math.max(this.deliveredEnd, deliveredEnd)
    this.isChanged = true
    if (++this.moves % this.options.settings.delayOffsetUpdateVersionStep === 0) this.file.nextVersion()
  }

  /** Writes where the levels are now, once what they delivered is on the disk. @throws MQError ERR_CONFIG_FILE */
  async persist(): Promise<void> {
    const offsets = new Map(this.byLevel)
    this.isChanged = false
    try {
      const status = await this.options.store.whenDurable(this.deliveredEnd)
      if (status === 'PUT_OK') {
        this.saved = offsets
        await this.file.save()
      } else {
        this.isChanged = true
        const fields = { event: 'delay-offsets-not-saved', status }
        const text = 'delivered messages are not on the disk yet: after a crash they are delivered again'
        this.options.logger.warn(fields, text)
      }
    } catch (error) {
      this.isChanged = true
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.task.stop()
    // a failure has been logged by the file, which tries once more
    if (this.isChanged) await this.persist().catch(() => {})
    await this.file.stop()
  }

  private encode(): string {
    const table = { dataVersion: this.file.dataVersion, offsetTable: this.saved }
    return stringifyFastJson(table, { pretty: true, bareNumberKeys: true })
  }

  private decode(file: JsonObject): void {
    this.byLevel.clear()
    for (const [level, offset] of Object.entries(readObject(file.offsetTable))) {
      this.byLevel.set(Number(level), readNumber(offset, 0))
    }
    this.saved = new Map(this.byLevel)
  }
}
