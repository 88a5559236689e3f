import { type DataVersion, type JsonObject, readNumber, readObject, stringifyFastJson } from '../../common/index.js'
import type { Clock, Logger } from '../../util/index.js'
import { VersionedFile } from '../versioned-file.js'

export interface TimerMetric {
  /** Messages that wait, minus delete markers whose message waits too. */
  count: number
  /** Ms: last change. */
  timeStamp: number
}

/** How many timer messages wait for each topic: the file `config/timermetrics`. */
export class TimerMetrics {
  readonly timingCount = new Map<string, TimerMetric>()
  private readonly clock: Clock
  private readonly file: VersionedFile
  private isChanged = false

  constructor(options: { rootDir: string; clock: Clock; logger: Logger }) {
    this.clock = options.clock
    this.file = new VersionedFile({
      ...options,
      name: 'timermetrics',
      encode: () => [this.toJson()],
      decode: json => this.decode(json),
    })
  }

  get dataVersion(): DataVersion {
    return this.file.dataVersion
  }

  load(): void {
    this.file.load()
  }

  add(topic: string, count: number): void {
    let metric = this.timingCount.get(topic)
    if (metric === undefined) this.timingCount.set(topic, (metric = { count: 0, timeStamp: 0 }))
    metric.count += count
    metric.timeStamp = this.clock.now()
    this.file.nextVersion()
    this.isChanged = true
  }

  /** Takes over what a recount found; topics it does not mention keep their number. */
  replace(counts: ReadonlyMap<string, number>): void {
    for (const [topic, count] of counts) {
      if (this.timingCount.get(topic)?.count !== count)
        this.add(topic, count - (this.timingCount.get(topic)?.count ?? 0))
    }
  }

  /** Forgets topics that do not exist any more. */
  retain(exists: (topic: string) => boolean): void {
    for (const topic of this.timingCount.keys()) {
      if (exists(topic)) continue
      this.timingCount.delete(topic)
      this.file.nextVersion()
      this.isChanged = true
    }
  }

  /** Body of GET_TIMER_METRICS, and the text of the file. */
  toJson(): string {
    return stringifyFastJson({ dataVersion: this.dataVersion, timingCount: this.timingCount })
  }

  private decode(json: JsonObject): void {
    for (const [topic, metric] of Object.entries(readObject(json.timingCount))) {
      const { count, timeStamp } = readObject(metric)
      this.timingCount.set(topic, { count: readNumber(count, 0), timeStamp: readNumber(timeStamp, 0) })
    }
  }

  /** Writes in the background what changed. */
  saveSoon(): void {
    if (!this.isChanged) return
    this.isChanged = false
    this.file.saveSoon()
  }

  /** Writes once more and ends. */
  stop(): Promise<void> {
    return this.file.stop()
  }
}
