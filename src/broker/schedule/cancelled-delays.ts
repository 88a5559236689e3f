import { join } from 'node:path'
import { parseFastJson, readArray, readNumber, readObject, stringifyFastJson } from '../../common/index.js'
import { type Clock, ConfigFile, type Logger } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'

export interface CancelledDelaysOptions {
  settings: Pick<BrokerSettings, 'storePathRootDir'>
  clock: Clock
  logger: Logger
}

/**
 * Delayed messages that an operator took back, by level and offset in the level's queue: the file
 * `config/delayCancelled.json`, which RocketMQ does not have. A Java broker that takes the store over delivers them.
 */
export class CancelledDelays {
  private readonly byLevel = new Map<number, Set<number>>()
  private readonly file: ConfigFile

  constructor(options: CancelledDelaysOptions) {
    this.file = new ConfigFile({
      path: join(options.settings.storePathRootDir, 'config', 'delayCancelled.json'),
      clock: options.clock,
      logger: options.logger,
      encode: () => [stringifyFastJson({ cancelled: this.byLevel })],
      decode: text => this.decode(text),
    })
  }

  /**
   * Reads the file; what lies in front of the next message to deliver is forgotten.
   * @throws MQError ERR_CONFIG_FILE
   */
  load(nextOffset: (level: number) => number): void {
    this.file.load()
    for (const [level, offsets] of this.byLevel) {
      for (const offset of offsets) if (offset < nextOffset(level)) offsets.delete(offset)
      if (offsets.size === 0) this.byLevel.delete(level)
    }
  }

  has(level: number, queueOffset: number): boolean {
    return this.byLevel.get(level)?.has(queueOffset) ?? false
  }

  /** Counts from this turn on; the promise is kept when it is on the disk. @throws MQError ERR_CONFIG_FILE */
  async add(level: number, queueOffset: number): Promise<void> {
    let offsets = this.byLevel.get(level)
    if (offsets === undefined) {
      offsets = new Set()
      this.byLevel.set(level, offsets)
    }
    offsets.add(queueOffset)
    await this.file.save()
  }

  /** Waits for the last write. */
  async stop(): Promise<void> {
    if (this.byLevel.size > 0) await this.file.stop()
  }

  private decode(text: string): void {
    this.byLevel.clear()
    for (const [level, offsets] of Object.entries(readObject(readObject(parseFastJson(text)).cancelled))) {
      this.byLevel.set(Number(level), new Set(readArray(offsets).map(offset => readNumber(offset, -1))))
    }
  }
}
