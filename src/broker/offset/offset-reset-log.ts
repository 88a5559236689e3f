import { join } from 'node:path'
import { type JsonValue, parseFastJson, readNumber, readObject, readString } from '../../common/index.js'
import { type Clock, ConfigFile, type Logger } from '../../util/index.js'
import { prettyMembers, prettyTables } from '../config-json.js'
import type { BrokerSettings } from '../settings.js'

export interface OffsetResetLogOptions {
  settings: Pick<BrokerSettings, 'storePathRootDir'>
  clock: Clock
  logger: Logger
}

/** Where a group was in a queue before a reset; `before` is -1 when it had no offset. */
export interface QueueReset {
  before: number
  after: number
}

/** The last reset of one group on one topic. */
export interface OffsetResetRecord {
  topic: string
  group: string
  /** Ms when it was ordered. */
  time: number
  /** By queue id. */
  queues: ReadonlyMap<number, QueueReset>
}

/** Resets remembered; the oldest are forgotten first. */
const MAX_RECORDS = 1000
const SEPARATOR = '@'

/**
 * The last offset reset of each group and topic, kept in `config/offsetResets.json` so that it can be undone, also
 * after a restart. RocketMQ knows no such file.
 */
export class OffsetResetLog {
  /** In the order in which they were ordered. */
  private readonly records = new Map<string, OffsetResetRecord>()
  private readonly file: ConfigFile

  constructor({ settings, clock, logger }: OffsetResetLogOptions) {
    this.file = new ConfigFile({
      path: join(settings.storePathRootDir, 'config', 'offsetResets.json'),
      clock,
      logger,
      encode: () => this.encode(),
      decode: text => this.decode(text),
    })
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    this.file.load()
  }

  find(topic: string, group: string): OffsetResetRecord | undefined {
    return this.records.get(topic + SEPARATOR + group)
  }

  /** Remembers a reset in place of the one before it, on the disk when it resolves. @throws MQError ERR_CONFIG_FILE */
  async remember(record: OffsetResetRecord): Promise<void> {
    const key = record.topic + SEPARATOR + record.group
    this.records.delete(key)
    this.records.set(key, record)
    for (const oldest of this.records.keys()) {
      if (this.records.size <= MAX_RECORDS) break
      this.records.delete(oldest)
    }
    await this.file.save()
  }

  /** Forgets the reset of a group on a topic. @throws MQError ERR_CONFIG_FILE */
  async forget(topic: string, group: string): Promise<void> {
    if (this.records.delete(topic + SEPARATOR + group)) await this.file.save()
  }

  /** A topic is gone: offsets of another one of that name mean something else. */
  async forgetTopic(topic: string): Promise<void> {
    await this.forgetWhere(record => record.topic === topic)
  }

  async forgetGroup(group: string): Promise<void> {
    await this.forgetWhere(record => record.group === group)
  }

  private async forgetWhere(isGone: (record: OffsetResetRecord) => boolean): Promise<void> {
    const before = this.records.size
    for (const [key, record] of [...this.records]) if (isGone(record)) this.records.delete(key)
    if (this.records.size < before) await this.file.save()
  }

  private encode(): Iterable<string> {
    const members = Array.from(this.records, ([key, record]) => [key, record] as const)
    return prettyTables([['lastResets', prettyMembers(members, 1)]])
  }

  private decode(text: string): void {
    const loaded = Object.entries(readObject(readObject(parseFastJson(text)).lastResets))
    const records = loaded.map(([key, json]) => [key, recordFromJson(json)] as const)
    this.records.clear()
    for (const [key, record] of records.sort(([, a], [, b]) => a.time - b.time)) this.records.set(key, record)
  }
}

function recordFromJson(json: JsonValue): OffsetResetRecord {
  const record = readObject(json)
  const queues = Object.entries(readObject(record.queues)).map(([queueId, value]) => {
    const { before, after } = readObject(value)
    return [Number(queueId), { before: readNumber(before, -1), after: readNumber(after, 0) }] as const
  })
  return {
    topic: readString(record.topic, ''),
    group: readString(record.group, ''),
    time: readNumber(record.time, 0),
    queues: new Map(queues),
  }
}
