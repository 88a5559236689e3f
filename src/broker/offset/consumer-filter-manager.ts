import { join } from 'node:path'
import {
  BloomFilter,
  ExpressionType,
  FilterCompileError,
  isTagType,
  parseFastJson,
  RecordProperties,
  readObject,
  SqlFilter,
  type SubscriptionData,
} from '../../common/index.js'
import type { RecordToFilter } from '../../store/index.js'
import { type Clock, ConfigFile, errorText, type Logger, PeriodicTask } from '../../util/index.js'
import type { ConsumerManager } from '../client/consumer-manager.js'
import { prettyMembers, prettyTables } from '../config-json.js'
import type { BrokerSettings } from '../settings.js'
import {
  type ConsumerFilterData,
  consumerFilterDataFromJson,
  consumerFilterDataToJson,
  isDead,
} from './consumer-filter-data.js'

export { type ConsumerFilterData, isDead } from './consumer-filter-data.js'

export interface ConsumerFilterManagerOptions {
  settings: Pick<
    BrokerSettings,
    | 'storePathRootDir'
    | 'enableCalcFilterBitMap'
    | 'maxErrorRateOfBloomFilter'
    | 'expectConsumerNumUseFilter'
    | 'filterDataCleanTimeSpan'
  >
  clock: Clock
  logger: Logger
  /** Whose heartbeats bring expressions and whose leaving ends them. */
  consumers?: Pick<ConsumerManager, 'addListener'>
  /** End of the log: what stands before it was dispatched without a new expression. Absent: times must tell. */
  logEnd?: () => number
}

/** An expression as a client sends it. */
export interface FilterRequest {
  topic: string
  group: string
  expression: string | undefined
  /** TAG when it is missing. */
  type: string | undefined
  clientVersion: number
}

const SAVE_PERIOD_MS = 10_000
/** After a restart consumers get this long to come back before their filters count as dead. */
const GRACE_MS = 30_000
/** Expressions that come with each pull are compiled once. */
const MAX_COMPILED = 1024

/** The SQL92 expressions of consumer groups, kept in `config/consumerFilter.json` (broker-behaviour 8.3). */
export class ConsumerFilterManager {
  readonly bloomFilter: BloomFilter
  private byTopic = new Map<string, Map<string, ConsumerFilterData>>()
  private readonly compiled = new Map<string, SqlFilter>()
  private readonly file: ConfigFile
  private readonly task: PeriodicTask
  private isChanged = false
  private readonly properties = new RecordProperties()

  constructor(private readonly options: ConsumerFilterManagerOptions) {
    const { settings, clock, logger, consumers } = options
    this.bloomFilter = new BloomFilter({
      errorRate: settings.maxErrorRateOfBloomFilter,
      expectedConsumers: settings.expectConsumerNumUseFilter,
    })
    this.file = new ConfigFile({
      path: join(settings.storePathRootDir, 'config', 'consumerFilter.json'),
      clock,
      logger,
      encode: () => this.encode(),
      decode: text => this.decode(text),
    })
    this.task = new PeriodicTask({
      name: 'save of consumer filters',
      periodMs: SAVE_PERIOD_MS,
      clock,
      logger,
      run: () => this.saveIfChanged(),
    })
    consumers?.addListener({
      onRegister: (group, subscriptions) => this.register(group, subscriptions),
      onUnregister: group => this.unregister(group),
    })
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    this.file.load()
  }

  /** Groups may have gone and come since the backup: bits of messages up to now do not count. */
  private beginAgain(): void {
    const bornOffset = this.options.logEnd?.()
    if (bornOffset === undefined) return
    for (const groups of this.byTopic.values()) for (const data of groups.values()) data.bornOffset = bornOffset
    this.isChanged = true
  }

  /** To be called when the store has found the end of its log. */
  start(): void {
    if (this.file.hasReadBackup) this.beginAgain()
    this.task.start()
  }

  async persist(): Promise<void> {
    this.clean()
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
    this.clean()
    await this.file.stop()
  }

  get(topic: string, group: string): ConsumerFilterData | undefined {
    return this.byTopic.get(topic)?.get(group)
  }

  getByTopic(topic: string): ConsumerFilterData[] {
    return [...(this.byTopic.get(topic)?.values() ?? [])]
  }

  getByGroup(group: string): ConsumerFilterData[] {
    return [...this.byTopic.values()].flatMap(groups => groups.get(group) ?? [])
  }

  isDead(data: ConsumerFilterData): boolean {
    return isDead(data)
  }

  /** Takes over the subscriptions of a heartbeat: compiles new expressions, marks those no longer there as dead. */
  register(group: string, subscriptions: readonly SubscriptionData[]): void {
    for (const subscription of subscriptions) this.registerOne(group, subscription)
    if (this.byTopic.size === 0) return
    const topics = new Set(subscriptions.map(subscription => subscription.topic))
    for (const data of this.getByGroup(group)) if (!topics.has(data.topic)) this.bury(data)
  }

  /** The last consumer of a group has left. */
  unregister(group: string): void {
    for (const data of this.getByGroup(group)) this.bury(data)
  }

  /**
   * Filter data for an expression that comes with a pull; nothing is stored. Undefined for tags.
   * @throws FilterCompileError
   */
  build(request: FilterRequest): ConsumerFilterData | undefined {
    const { topic, group, expression, type, clientVersion } = request
    if (isTagType(type)) return undefined
    return {
      consumerGroup: group,
      topic,
      expression: expression ?? '',
      expressionType: type ?? '',
      compiledExpression: this.compile(type, expression),
      bornTime: this.options.clock.now(),
      deadTime: 0,
      clientVersion,
    }
  }

  /**
   * Bloom bits of the groups whose expression a record matches, for the extension of its queue's unit; undefined when
   * they are not worked out (`enableCalcFilterBitMap`) or nobody filters the topic.
   */
  bitMapOf({ topic, bytes, propertiesStart, propertiesEnd }: RecordToFilter): Buffer | undefined {
    if (!this.options.settings.enableCalcFilterBitMap) return undefined
    const groups = this.byTopic.get(topic.topic)
    if (groups === undefined || groups.size === 0) return undefined
    const bits = this.bloomFilter.newBits()
    const properties = this.properties.of(bytes, propertiesStart, propertiesEnd)
    for (const { compiledExpression, bloomFilterData } of groups.values()) {
      if (bloomFilterData !== undefined && compiledExpression?.matches(properties.get)) {
        this.bloomFilter.hashTo(bloomFilterData, bits)
      }
    }
    return bits
  }

  /** Compiles an expression, or finds it compiled. @throws FilterCompileError with Java's text */
  compile(type: string | undefined, expression: string | undefined): SqlFilter {
    if (type !== ExpressionType.SQL92) {
      throw new FilterCompileError('java.lang.IllegalArgumentException', `no filter of the type ${type}, write SQL92`)
    }
    const text = expression ?? ''
    const known = this.compiled.get(text)
    if (known !== undefined) return known
    const filter = new SqlFilter(text)
    if (this.compiled.size >= MAX_COMPILED) this.compiled.clear()
    this.compiled.set(text, filter)
    return filter
  }

  private registerOne(group: string, subscription: SubscriptionData): void {
    const { topic, subString: expression, expressionType, subVersion: clientVersion } = subscription
    if (isTagType(expressionType) || expression === '') return
    const old = this.get(topic, group)
    if (old !== undefined && clientVersion < old.clientVersion) return
    if (old !== undefined && (clientVersion === old.clientVersion || this.isSame(old, subscription))) {
      if (clientVersion !== old.clientVersion || isDead(old)) this.isChanged = true
      old.clientVersion = clientVersion
      if (isDead(old)) old.deadTime = 0
      return
    }
    this.isChanged = true
    this.replace(group, subscription)
  }

  private isSame(old: ConsumerFilterData, { subString, expressionType }: SubscriptionData): boolean {
    const isValid = old.bloomFilterData !== undefined && this.bloomFilter.isValid(old.bloomFilterData)
    return isValid && old.expression === subString && old.expressionType === expressionType
  }

  private replace(group: string, subscription: SubscriptionData): void {
    const { topic, subString: expression, expressionType: type, subVersion: clientVersion } = subscription
    const { logger } = this.options
    const groups = this.byTopic.get(topic) ?? new Map<string, ConsumerFilterData>()
    try {
      const data = this.build({ topic, group, expression, type, clientVersion })!
      const bornOffset = this.options.logEnd?.()
      const bloomFilterData = this.bloomFilter.generate(group, topic)
      groups.set(group, { ...data, ...(bornOffset !== undefined && { bornOffset }), bloomFilterData })
      this.byTopic.set(topic, groups)
      logger.info(
        { event: 'filter-registered', group, topic, expression },
        `${group} filters ${topic} by ${expression}`,
      )
    } catch (error) {
      // without filter data the pulls of the group are told that its expression may be wrong
      groups.delete(group)
      const text = `the filter of ${group} on ${topic} does not compile: ${errorText(error)}`
      logger.warn({ event: 'filter-refused', group, topic, expression }, text)
    }
  }

  private bury(data: ConsumerFilterData): void {
    if (isDead(data)) return
    data.deadTime = this.options.clock.now()
    this.isChanged = true
  }

  private async saveIfChanged(): Promise<void> {
    this.clean()
    if (this.isChanged) await this.persist()
  }

  /** Forgets what has been dead for `filterDataCleanTimeSpan`. */
  private clean(): void {
    const oldest = this.options.clock.now() - this.options.settings.filterDataCleanTimeSpan
    for (const [topic, groups] of [...this.byTopic]) {
      for (const [group, data] of [...groups]) {
        if (!isDead(data) || data.deadTime > oldest) continue
        groups.delete(group)
        this.isChanged = true
      }
      if (groups.size === 0) this.byTopic.delete(topic)
    }
  }

  private encode(): Iterable<string> {
    return prettyTables([['filterDataByTopic', prettyMembers(this.topicsAsJson(), 1)]])
  }

  private *topicsAsJson(): Generator<[string, object]> {
    for (const [topic, groups] of this.byTopic) {
      const data = Array.from(groups, ([group, filter]) => [group, consumerFilterDataToJson(filter)] as const)
      yield [topic, { groupFilterData: new Map(data), topic }]
    }
  }

  private decode(text: string): void {
    const loaded = new Map<string, Map<string, ConsumerFilterData>>()
    const topics = readObject(readObject(parseFastJson(text)).filterDataByTopic)
    for (const [topic, json] of Object.entries(topics)) {
      const groups = new Map<string, ConsumerFilterData>()
      for (const [group, filter] of Object.entries(readObject(readObject(json).groupFilterData))) {
        groups.set(group, { ...consumerFilterDataFromJson(filter), topic, consumerGroup: group })
      }
      loaded.set(topic, groups)
    }
    const all = [...loaded.values()].flatMap(groups => [...groups.values()])
    if (all.some(data => data.bloomFilterData === undefined || !this.bloomFilter.isValid(data.bloomFilterData))) {
      const reason = 'the size of the bloom filter has changed: saved filters are dropped until consumers send theirs'
      this.options.logger.warn({ event: 'filters-dropped', path: this.file.path }, reason)
      return
    }
    for (const data of all) this.revive(data)
    this.byTopic = loaded
  }

  /** Makes loaded data usable; its consumers count as gone unless they come back. */
  private revive(data: ConsumerFilterData): void {
    try {
      data.compiledExpression = this.compile(data.expressionType, data.expression)
    } catch (error) {
      const { topic, consumerGroup: group } = data
      const text = `the saved filter of ${group} on ${topic} does not compile: ${errorText(error)}`
      this.options.logger.warn({ event: 'filter-refused', group, topic }, text)
    }
    if (data.deadTime === 0) data.deadTime = Math.max(data.bornTime, this.options.clock.now() - GRACE_MS)
  }
}
