import { join } from 'node:path'
import {
  assignDataVersion,
  type DataVersion,
  dataVersionFromJson,
  isLmq,
  LMQ_QUEUE_ID,
  newDataVersion,
  nextDataVersion,
  parseFastJson,
  readNumber,
  readObject,
  stringifyFastJson,
} from '../../common/index.js'
import { type Clock, ConfigFile, createLogLimiter, type Logger, PeriodicTask } from '../../util/index.js'
import { prettyTables, prettyValue } from '../config-json.js'
import type { BrokerSettings } from '../settings.js'

export interface ConsumerOffsetManagerOptions {
  settings: Pick<
    BrokerSettings,
    | 'storePathRootDir'
    | 'flushConsumerOffsetInterval'
    | 'consumerOffsetUpdateVersionStep'
    | 'useServerSideResetOffset'
    | 'enableLmq'
  >
  clock: Clock
  logger: Logger
}

export interface ResetOffset {
  topic: string
  group: string
  queueId: number
  offset: number
}

/** Between topic and group in the keys of the file. Neither may contain it, but pseudo groups do. */
const SEPARATOR = '@'
const FIRST_FLUSH_MS = 10_000
/** Entries written between two looks at the clock. */
const ENTRIES_PER_PIECE = 512
const WARNING_PERIOD_MS = 60_000

/** What is known of one group on one topic, by queue id. */
class GroupOffsets {
  /** Next offset to consume; what is saved. */
  readonly committed = new Map<number, number>()
  /** Next offset the last pull was told. */
  readonly pulled = new Map<number, number>()
  /** Set by an operator, waiting for the next pull. */
  readonly reset = new Map<number, number>()
}

/**
 * How far each consumer group is, kept in `config/consumerOffset.json`. Commits are saved every
 * `flushConsumerOffsetInterval`: a crash loses the last of them, which makes duplicates and loses nothing.
 */
export class ConsumerOffsetManager {
  readonly dataVersion: DataVersion
  private readonly byTopic = new Map<string, Map<string, GroupOffsets>>()
  private readonly file: ConfigFile
  private readonly task: PeriodicTask
  private readonly warnings
  private commits = 0
  private resets = 0
  private isChanged = false

  constructor(private readonly options: ConsumerOffsetManagerOptions) {
    const { settings, clock, logger } = options
    this.dataVersion = newDataVersion(clock)
    this.warnings = createLogLimiter({ clock, periodMs: WARNING_PERIOD_MS })
    this.file = this.configFile(settings.enableLmq ? 'lmqConsumerOffset.json' : 'consumerOffset.json')
    this.task = new PeriodicTask({
      name: 'save of consumer offsets',
      periodMs: settings.flushConsumerOffsetInterval,
      clock,
      logger,
      run: () => (this.isChanged ? this.persist() : undefined),
    })
  }

  private configFile(name: string): ConfigFile {
    const { settings, clock, logger } = this.options
    return new ConfigFile({
      path: join(settings.storePathRootDir, 'config', name),
      clock,
      logger,
      encode: () => this.encode(),
      decode: text => this.decode(text),
    })
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    const isThere = this.file.load()
    // the first start with light queues takes over how far groups were without
    if (!isThere && this.options.settings.enableLmq) this.isChanged = this.configFile('consumerOffset.json').load()
    this.options.logger.info(
      { event: 'offsets-loaded', topics: this.byTopic.size, path: this.file.path },
      'offsets read',
    )
  }

  start(): void {
    this.task.start(FIRST_FLUSH_MS)
  }

  async persist(): Promise<void> {
    this.isChanged = false
    try {
      await this.file.save()
    } catch (error) {
      this.isChanged = true
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.task.stop()
    await this.file.stop()
  }

  /** Stores an offset whatever it was before; a step back is only logged. */
  commitOffset(group: string, topic: string, queueId: number, offset: number): void {
    const { committed } = this.offsetsOf(topic, group)
    const old = committed.get(queueId)
    this.isChanged ||= old !== offset
    if (old !== undefined && offset < old) this.logStepBack({ topic, group, queueId, offset }, old)
    committed.set(queueId, offset)
    if (++this.commits % this.options.settings.consumerOffsetUpdateVersionStep === 0) {
      nextDataVersion(this.dataVersion, this.options.clock)
    }
  }

  /** Remembers what the last pull was told to ask next; not saved. */
  commitPullOffset(group: string, topic: string, queueId: number, offset: number): void {
    this.offsetsOf(topic, group).pulled.set(queueId, offset)
  }

  /** The offset to consume next, -1 when there is none. A pending reset comes first. */
  queryOffset(group: string, topic: string, queueId: number): number {
    const offsets = this.find(topic, group)
    if (offsets === undefined) return -1
    const reset = this.options.settings.useServerSideResetOffset ? offsets.reset.get(queueId) : undefined
    return reset ?? offsets.committed.get(queueId) ?? -1
  }

  /** Where the group pulls, or what it has committed when it has not pulled since the start. */
  queryPullOffset(group: string, topic: string, queueId: number): number {
    return this.find(topic, group)?.pulled.get(queueId) ?? this.queryOffset(group, topic, queueId)
  }

  /** Committed offsets by queue id; undefined when there are none. */
  queryOffsets(group: string, topic: string): ReadonlyMap<number, number> | undefined {
    const committed = this.find(topic, group)?.committed
    return committed === undefined || committed.size === 0 ? undefined : committed
  }

  /** Makes the group go on at `offset`; commits are to be ignored until a pull takes it. Refuses negative values. */
  assignResetOffset({ topic, group, queueId, offset }: ResetOffset): void {
    if (topic === '' || group === '' || queueId < 0 || offset < 0) {
      const fields = { event: 'reset-refused', topic, group, queueId, offset }
      this.options.logger.warn(fields, `no reset of ${group} on ${topic}: queue ${queueId} to ${offset} makes no sense`)
      return
    }
    const offsets = this.offsetsOf(topic, group)
    if (!offsets.reset.has(queueId)) this.resets++
    offsets.reset.set(queueId, offset)
    offsets.committed.set(queueId, offset)
    this.isChanged = true
  }

  /** Makes the group one that has never been in the queue. */
  eraseOffset({ topic, group, queueId }: Pick<ResetOffset, 'topic' | 'group' | 'queueId'>): void {
    const offsets = this.find(topic, group)
    if (offsets === undefined) return
    this.queryThenEraseResetOffset(topic, group, queueId)
    offsets.committed.delete(queueId)
    offsets.pulled.delete(queueId)
    this.isChanged = true
  }

  /** Whether any reset is pending at all: the test that is cheap enough for every pull. */
  get hasAnyReset(): boolean {
    return this.resets > 0
  }

  hasOffsetReset(topic: string, group: string, queueId: number): boolean {
    return this.resets > 0 && this.find(topic, group)?.reset.has(queueId) === true
  }

  /** Takes a pending reset; undefined when there is none. */
  queryThenEraseResetOffset(topic: string, group: string, queueId: number): number | undefined {
    if (this.resets === 0) return undefined
    const reset = this.find(topic, group)?.reset
    const offset = reset?.get(queueId)
    if (offset === undefined) return undefined
    reset?.delete(queueId)
    this.resets--
    return offset
  }

  /** Topics of which the group has committed offsets. */
  whichTopicByConsumer(group: string): Set<string> {
    const topics = new Set<string>()
    for (const [topic, groups] of this.byTopic) if (hasCommits(groups.get(group))) topics.add(topic)
    return topics
  }

  /** Groups that have committed offsets of the topic; pseudo groups are left out. */
  whichGroupByTopic(topic: string): Set<string> {
    const groups = new Set<string>()
    for (const [group, offsets] of this.byTopic.get(topic) ?? []) {
      if (hasCommits(offsets) && !group.includes(SEPARATOR)) groups.add(group)
    }
    return groups
  }

  groupTopicMap(): Map<string, Set<string>> {
    const map = new Map<string, Set<string>>()
    for (const [topic, groups] of this.byTopic) addGroupTopics(map, topic, groups)
    return map
  }

  forEachOffset(visit: (topic: string, group: string, queues: ReadonlyMap<number, number>) => void): void {
    for (const [topic, groups] of this.byTopic) {
      for (const [group, offsets] of groups) if (hasCommits(offsets)) visit(topic, group, offsets.committed)
    }
  }

  /** Gives `destGroup` the offsets of `srcGroup` on a topic; nothing when it has none. */
  cloneOffset(srcGroup: string, destGroup: string, topic: string): void {
    const source = this.queryOffsets(srcGroup, topic)
    if (source === undefined) return
    const { committed } = this.offsetsOf(topic, destGroup)
    const copy = [...source]
    committed.clear()
    for (const [queueId, offset] of copy) committed.set(queueId, offset)
    this.isChanged = true
  }

  /** Forgets a group. */
  removeOffset(group: string): void {
    for (const topic of [...this.byTopic.keys()]) this.drop(topic, group)
  }

  /** Forgets a topic. */
  cleanOffsetByTopic(topic: string): void {
    for (const group of [...(this.byTopic.get(topic)?.keys() ?? [])]) this.drop(topic, group)
  }

  clearPullOffset(group: string, topic: string): void {
    this.find(topic, group)?.pulled.clear()
  }

  /**
   * The smallest offset of any group on each queue of a topic (code 308), leaving out offsets below what `minOffset`
   * gives for the queue. `filterGroups` are left out too; Java forgets their offsets instead.
   */
  queryMinOffsetInAllGroup(
    topic: string,
    filterGroups: Iterable<string>,
    minOffset: (queueId: number) => number,
  ): Map<number, number> {
    const leftOut = new Set(filterGroups)
    const smallest = new Map<number, number>()
    for (const [group, { committed }] of this.byTopic.get(topic) ?? []) {
      if (leftOut.has(group)) continue
      for (const [queueId, offset] of committed) {
        if (offset >= minOffset(queueId)) smallest.set(queueId, Math.min(offset, smallest.get(queueId) ?? offset))
      }
    }
    return smallest
  }

  /** `{dataVersion, offsetTable}`. */
  toJson(): string {
    const offsetTable = new Map<string, ReadonlyMap<number, number>>()
    this.forEachOffset((topic, group, queues) => offsetTable.set(topic + SEPARATOR + group, queues))
    return stringifyFastJson({ dataVersion: this.dataVersion, offsetTable })
  }

  private find(topic: string, group: string): GroupOffsets | undefined {
    return this.byTopic.get(topic)?.get(group)
  }

  private offsetsOf(topic: string, group: string): GroupOffsets {
    let groups = this.byTopic.get(topic)
    if (groups === undefined) this.byTopic.set(topic, (groups = new Map()))
    let offsets = groups.get(group)
    if (offsets === undefined) groups.set(group, (offsets = new GroupOffsets()))
    return offsets
  }

  private drop(topic: string, group: string): void {
    const groups = this.byTopic.get(topic)
    const offsets = groups?.get(group)
    if (groups === undefined || offsets === undefined) return
    this.resets -= offsets.reset.size
    groups.delete(group)
    if (groups.size === 0) this.byTopic.delete(topic)
    this.isChanged = true
    const fields = { event: 'offsets-removed', topic, group, queues: offsets.committed.size }
    this.options.logger.info(fields, `forgot the offsets of ${group} on ${topic}`)
  }

  private logStepBack({ topic, group, queueId, offset }: ResetOffset, old: number): void {
    const { logger } = this.options
    const fields = { event: 'offset-step-back', topic, group, queueId, offset, old }
    const text = `${group} went back on queue ${queueId} of ${topic}, from ${old} to ${offset}`
    this.warnings.warn(logger, topic + SEPARATOR + group, fields, text)
  }

  private encode(): Iterable<string> {
    const light: [string, Iterable<string>][] = this.options.settings.enableLmq
      ? [['lmqOffsetTable', this.encodeLightOffsets()]]
      : []
    return prettyTables([
      ['dataVersion', prettyValue(this.dataVersion)],
      ['groupTopicMap', this.encodeGroupTopicMap()],
      ...light,
      ['offsetTable', this.encodeOffsetTable()],
    ])
  }

  /** Groups of light queues have one offset per topic, in a table of their own. */
  private *encodeLightOffsets(): Generator<string> {
    let separator = '{\n\t\t'
    let isEmpty = true
    for (const [topic, groups] of this.byTopic) {
      for (const [group, { committed }] of groups) {
        const offset = isLmq(group) ? committed.get(LMQ_QUEUE_ID) : undefined
        if (offset === undefined) continue
        yield `${separator}${JSON.stringify(topic + SEPARATOR + group)}:${offset}`
        separator = ',\n\t\t'
        isEmpty = false
      }
    }
    yield isEmpty ? '{}' : '\n\t}'
  }

  /** What the offset table holds of a group: not what the light one does. */
  private tableOffsets(group: string, offsets: GroupOffsets): ReadonlyMap<number, number> {
    if (!this.options.settings.enableLmq || !isLmq(group)) return offsets.committed
    return new Map([...offsets.committed].filter(([queueId]) => queueId !== LMQ_QUEUE_ID))
  }

  private *encodeGroupTopicMap(): Generator<string> {
    const map = new Map<string, Set<string>>()
    for (const [topic, groups] of this.byTopic) {
      addGroupTopics(map, topic, groups)
      // a look at the clock
      yield ''
    }
    let separator = '{\n\t\t'
    for (const [group, topics] of map) {
      yield `${separator}${JSON.stringify(group)}:${stringifyFastJson(topics)}`
      separator = ',\n\t\t'
    }
    yield map.size === 0 ? '{}' : '\n\t}'
  }

  private *encodeOffsetTable(): Generator<string> {
    let separator = '{\n\t\t'
    let isEmpty = true
    for (const [topic, groups] of this.byTopic) {
      for (const [group, offsets] of groups) {
        const queues = this.tableOffsets(group, offsets)
        if (queues.size === 0) continue
        yield `${separator}${JSON.stringify(topic + SEPARATOR + group)}:`
        yield* encodeQueues(queues)
        separator = ',\n\t\t'
        isEmpty = false
      }
    }
    yield isEmpty ? '{}' : '\n\t}'
  }

  private decode(text: string): void {
    const file = readObject(parseFastJson(text))
    this.byTopic.clear()
    for (const [key, json] of Object.entries(readObject(file.offsetTable))) {
      const at = key.indexOf(SEPARATOR)
      if (at < 0) continue
      const { committed } = this.offsetsOf(key.slice(0, at), key.slice(at + 1))
      for (const [queueId, offset] of Object.entries(readObject(json))) {
        committed.set(Number(queueId), readNumber(offset, 0))
      }
    }
    for (const [key, offset] of Object.entries(readObject(file.lmqOffsetTable))) {
      const at = key.indexOf(SEPARATOR)
      if (at >= 0)
        this.offsetsOf(key.slice(0, at), key.slice(at + 1)).committed.set(LMQ_QUEUE_ID, readNumber(offset, 0))
    }
    if (file.dataVersion !== undefined) assignDataVersion(this.dataVersion, dataVersionFromJson(file.dataVersion))
  }
}

function hasCommits(offsets: GroupOffsets | undefined): boolean {
  return offsets !== undefined && offsets.committed.size > 0
}

function addGroupTopics(map: Map<string, Set<string>>, topic: string, groups: ReadonlyMap<string, GroupOffsets>): void {
  for (const [group, offsets] of groups) {
    if (!hasCommits(offsets) || group.includes(SEPARATOR)) continue
    const topics = map.get(group)
    if (topics === undefined) map.set(group, new Set([topic]))
    else topics.add(topic)
  }
}

function* encodeQueues(queues: ReadonlyMap<number, number>): Generator<string> {
  let text = '{'
  let count = 0
  for (const [queueId, offset] of queues) {
    text += `${count === 0 ? '' : ','}"${queueId}":${offset}`
    if (++count % ENTRIES_PER_PIECE !== 0) continue
    yield text
    text = ''
  }
  yield `${text}}`
}
