import { type JsonObject, readNumber, readObject, stringifyFastJson } from '../../common/index.js'
import type { Clock, Logger, Timer } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import { VersionedFile } from '../versioned-file.js'

export interface TransactionMetricsOptions {
  settings: Pick<BrokerSettings, 'storePathRootDir' | 'transactionMetricFlushInterval'>
  clock: Clock
  logger: Logger
}

interface Count {
  count: number
  timeStamp: number
}

/** How many transactions are open per topic, kept in `config/transactionMetrics` in Java's form (store-format 14.9). */
export class TransactionMetrics {
  private readonly counts = new Map<string, Count>()
  private readonly file: VersionedFile
  private timer: Timer | undefined
  private isChanged = false

  constructor(private readonly options: TransactionMetricsOptions) {
    const { settings, clock, logger } = options
    this.file = new VersionedFile({
      rootDir: settings.storePathRootDir,
      name: 'transactionMetrics',
      clock,
      logger,
      encode: () => [
        stringifyFastJson({ dataVersion: this.file.dataVersion, transactionCount: this.counts }, { ascii: true }),
      ],
      decode: json => this.decode(json),
    })
  }

  /** Reads the topics; their counts begin at 0, for the store knows better what is open. */
  load(): void {
    this.file.load()
  }

  start(): void {
    this.timer = this.options.clock.after(this.options.settings.transactionMetricFlushInterval, () => {
      if (this.isChanged) {
        this.isChanged = false
        this.file.saveSoon()
      }
      this.start()
    })
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.file.stop()
  }

  add(topic: string, change: number): void {
    const { clock } = this.options
    const entry = this.counts.get(topic) ?? { count: 0, timeStamp: 0 }
    entry.count = Math.max(0, entry.count + change)
    entry.timeStamp = clock.now()
    this.counts.set(topic, entry)
    this.file.nextVersion()
    this.isChanged = true
  }

  /** Open transactions of a topic. */
  countOf(topic: string): number {
    return this.counts.get(topic)?.count ?? 0
  }

  get total(): number {
    let total = 0
    for (const { count } of this.counts.values()) total += count
    return total
  }

  private decode(file: JsonObject): void {
    this.counts.clear()
    for (const [topic, json] of Object.entries(readObject(file.transactionCount))) {
      this.counts.set(topic, { count: 0, timeStamp: readNumber(readObject(json).timeStamp, 0) })
    }
  }
}
