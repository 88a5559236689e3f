import {
  AttributeError,
  alterTopicAttributes,
  type DataVersion,
  isInherited,
  isLmq,
  isSystemTopic,
  newTopicConfig,
  PERM_READ_WRITE,
  Perm,
  parseAttributes,
  ResponseCode,
  ResponseError,
  readEnum,
  readObject,
  SystemTopic,
  stringifyFastJson,
  systemTopicConflict,
  systemTopics,
  TopicAttribute,
  type TopicConfig,
  topicConfigFromJson,
  topicConfigToString,
  topicFilterTypes,
  topicNameProblem,
} from '../../common/index.js'
import type { Clock, Logger } from '../../util/index.js'
import { KeptTexts, prettyMembers, prettyTables, prettyValue } from '../config-json.js'
import type { BrokerIdentity } from '../identity.js'
import type { BrokerSettings } from '../settings.js'
import { VersionedFile } from '../versioned-file.js'
import { systemTopicConfigs } from './system-topics.js'

export interface TopicConfigManagerOptions {
  settings: TopicSettings
  identity: BrokerIdentity
  clock: Clock
  logger: Logger
}

export type TopicSettings = Pick<
  BrokerSettings,
  | 'storePathRootDir'
  | 'autoCreateTopicEnable'
  | 'defaultTopicQueueNums'
  | 'clusterTopicEnable'
  | 'brokerTopicEnable'
  | 'traceTopicEnable'
  | 'msgTraceTopicName'
  | 'reviveQueueNum'
  | 'timerWheelEnable'
  | 'enableMixedMessageType'
  | 'validateSystemTopicWhenUpdateTopic'
  | 'enableLmq'
>

/** What a send says about the topic it needs. */
export interface TopicWish {
  /** Template to copy, `TBW102` of most clients. */
  defaultTopic: string
  defaultTopicQueueNums: number
  topicSysFlag: number
  /** Address, for the log. */
  producer: string
}

/** What an operator says about a topic (code 17). */
export interface TopicDefinition {
  topic: string
  readQueueNums: number
  writeQueueNums: number
  perm: number
  topicFilterType: string
  topicSysFlag?: number | undefined
  order?: boolean | undefined
  /** `+key=value,-key`. */
  attributes?: string | undefined
}

export type TopicListener = (changed: readonly TopicConfig[]) => void

/** The topics of this broker, kept in `config/topics.json`. A TopicConfig in the table is replaced, never changed. */
export class TopicConfigManager {
  /** Names that belong to the system, those of this broker included. */
  readonly systemTopics: ReadonlySet<string>
  /** Grows with every change of the table: what was looked up before counts no more. */
  tableVersion = 0
  private readonly table = new Map<string, TopicConfig>()
  private readonly listeners: TopicListener[] = []
  private readonly file: VersionedFile
  private readonly texts: KeptTexts

  constructor(private readonly options: TopicConfigManagerOptions) {
    const { identity, settings, clock, logger } = options
    this.texts = new KeptTexts(clock)
    const own = systemTopicConfigs(identity, settings)
    for (const config of own) this.set(config)
    this.systemTopics = new Set([...systemTopics, ...own.map(config => config.topicName)])
    this.file = new VersionedFile({
      rootDir: settings.storePathRootDir,
      name: 'topics.json',
      clock,
      logger,
      encode: () => this.encode(),
      decode: json => {
        for (const [topic, config] of Object.entries(readObject(json.topicConfigTable))) {
          this.set({ ...topicConfigFromJson(config), topicName: topic })
        }
      },
    })
  }

  /** Reads the file, which wins over what the system would create. @throws MQError ERR_CONFIG_FILE */
  load(): void {
    const wasThere = this.file.load()
    if (!wasThere) this.file.saveSoon()
    const { logger } = this.options
    logger.info({ event: 'topics-loaded', topics: this.table.size, path: this.file.path }, `${this.table.size} topics`)
  }

  persist(): Promise<void> {
    return this.file.save()
  }

  stop(): Promise<void> {
    return this.file.stop()
  }

  get dataVersion(): DataVersion {
    return this.file.dataVersion
  }

  get topicConfigTable(): ReadonlyMap<string, TopicConfig> {
    return this.table
  }

  selectTopicConfig(topic: string): TopicConfig | undefined {
    return this.table.get(topic) ?? this.lightTopic(topic)
  }

  containsTopic(topic: string): boolean {
    return this.table.has(topic) || this.isLight(topic)
  }

  /** With `enableLmq` a light queue has a topic that is in no table. */
  private isLight(topic: string): boolean {
    return this.options.settings.enableLmq && isLmq(topic)
  }

  private lightTopic(topic: string): TopicConfig | undefined {
    if (!this.isLight(topic)) return undefined
    return newTopicConfig(topic, { readQueueNums: 1, writeQueueNums: 1, perm: PERM_READ_WRITE })
  }

  isOrderTopic(topic: string): boolean {
    return this.table.get(topic)?.order === true
  }

  isSystemTopic(topic: string): boolean {
    return this.systemTopics.has(topic) || isSystemTopic(topic)
  }

  /** `{dataVersion, topicConfigTable}`. */
  toJson(): string {
    return stringifyFastJson({ dataVersion: this.dataVersion, topicConfigTable: this.table })
  }

  /** Tells of topics created and changed, after the fact. */
  onChange(listener: TopicListener): void {
    this.listeners.push(listener)
  }

  /**
   * The topic, created after the template the client names when it is not there (broker-behaviour 2.3); undefined when
   * the template does not allow it.
   */
  createTopicInSendMessage(topic: string, wish: TopicWish): TopicConfig | undefined {
    const existing = this.table.get(topic)
    if (existing !== undefined) return existing
    const template = this.template(wish.defaultTopic)
    if (template === undefined || !isInherited(template.perm)) {
      this.options.logger.warn(
        { event: 'topic-not-created', topic, template: wish.defaultTopic, remote: wish.producer },
        `${topic} was not created for ${wish.producer}: ${wish.defaultTopic} is ${template ? 'closed' : 'unknown'}`,
      )
      return undefined
    }
    const queues = Math.max(0, Math.min(wish.defaultTopicQueueNums, template.writeQueueNums))
    return this.add(
      newTopicConfig(topic, {
        readQueueNums: queues,
        writeQueueNums: queues,
        perm: template.perm & ~Perm.INHERIT,
        topicSysFlag: wish.topicSysFlag,
        topicFilterType: template.topicFilterType,
      }),
      `by its first message, from ${wish.producer}`,
    )
  }

  /**
   * A retry or dead letter topic, created when it is not there. `isOrder` is set on one that is there, too; left out,
   * it stays as it is.
   */
  createTopicInSendMessageBack(
    topic: string,
    queueNums: number,
    perm: number,
    { isOrder, topicSysFlag = 0 }: { isOrder?: boolean; topicSysFlag?: number } = {},
  ): TopicConfig {
    const existing = this.table.get(topic)
    if (existing === undefined) {
      const queues = { readQueueNums: queueNums, writeQueueNums: queueNums }
      return this.add(
        newTopicConfig(topic, { ...queues, perm, topicSysFlag, order: isOrder ?? false }),
        'for its group',
      )
    }
    if (isOrder === undefined || existing.order === isOrder) return existing
    const changed = { ...existing, order: isOrder }
    this.put(changed)
    return changed
  }

  createTopicIfAbsent(config: TopicConfig): TopicConfig {
    return this.table.get(config.topicName) ?? this.add(config, 'when it was needed')
  }

  /**
   * Creates or changes a topic as an operator asks (code 17). Asking for what is there changes nothing.
   * @throws ResponseError INVALID_PARAMETER for the name, SYSTEM_ERROR for attributes and filter type.
   */
  createOrUpdateTopic(definition: TopicDefinition): TopicConfig {
    const { topic } = definition
    this.checkDefinition(definition)
    const light = this.lightTopic(topic)
    if (light !== undefined) return light
    const existing = this.table.get(topic)
    const config = newTopicConfig(topic, {
      readQueueNums: definition.readQueueNums,
      writeQueueNums: definition.writeQueueNums,
      perm: definition.perm,
      topicFilterType: readEnum(definition.topicFilterType, topicFilterTypes, 'SINGLE_TAG'),
      topicSysFlag: definition.topicSysFlag ?? 0,
      order: definition.order ?? false,
      attributes: this.alteredAttributes(existing, definition.attributes),
    })
    if (existing !== undefined && sameTopicConfig(existing, config)) return existing
    if (existing === undefined) return this.add(config, 'by an operator')
    this.updateTopicConfig(config)
    return config
  }

  /** Puts a topic as it is, unchecked; nothing is kept of light queues. */
  updateTopicConfig(config: TopicConfig): void {
    if (this.isLight(config.topicName)) return
    const old = this.table.get(config.topicName)
    this.put(config)
    const { logger } = this.options
    logger.info(
      { event: 'topic-updated', topic: config.topicName },
      `topic changed to ${topicConfigToString(config)}${old ? ` from ${topicConfigToString(old)}` : ''}`,
    )
  }

  /** False when there was none. */
  deleteTopicConfig(topic: string): boolean {
    const old = this.table.get(topic)
    if (old === undefined) return false
    this.table.delete(topic)
    this.tableVersion++
    this.options.logger.info({ event: 'topic-deleted', topic }, `deleted ${topicConfigToString(old)}`)
    this.bumpDataVersion()
    return true
  }

  /** Marks the topics that a NameServer lists as ordered; the mark is never taken away, as in Java. */
  updateOrderTopics(topics: Iterable<string>): void {
    let isChanged = false
    for (const topic of topics) {
      const config = this.table.get(topic)
      if (config === undefined || config.order) continue
      this.set({ ...config, order: true })
      this.options.logger.info({ event: 'topic-ordered', topic }, `${topic} is ordered, a NameServer says`)
      isChanged = true
    }
    if (isChanged) this.bumpDataVersion()
  }

  /** Makes every NameServer take the whole table over at the next registration. */
  bumpDataVersion(): void {
    this.file.nextVersion()
    this.file.saveSoon()
  }

  private template(name: string): TopicConfig | undefined {
    const config = this.table.get(name)
    // left over in the file from a time when topics were created by themselves
    if (config && name === SystemTopic.AUTO_CREATE_TOPIC_KEY && !this.options.settings.autoCreateTopicEnable) {
      if (config.perm === PERM_READ_WRITE) return config
      const closed = { ...config, perm: PERM_READ_WRITE }
      this.set(closed)
      return closed
    }
    return config
  }

  private checkDefinition({ topic, topicFilterType, attributes }: TopicDefinition): void {
    const { settings } = this.options
    const problem = topicNameProblem(topic)
    if (problem !== undefined) throw new ResponseError(ResponseCode.INVALID_PARAMETER, problem)
    if (settings.validateSystemTopicWhenUpdateTopic && this.isSystemTopic(topic)) {
      throw new ResponseError(ResponseCode.INVALID_PARAMETER, systemTopicConflict(topic))
    }
    if (!topicFilterTypes.some(type => type === topicFilterType)) {
      const text = `topicFilterType = [${topicFilterType}] value invalid, write ${topicFilterTypes.join(' or ')}`
      throw new ResponseError(ResponseCode.SYSTEM_ERROR, text)
    }
    const wantsMixed = readAttributes(attributes).get(`+${TopicAttribute.MESSAGE_TYPE}`) === 'MIXED'
    if (wantsMixed && !settings.enableMixedMessageType) {
      throw new ResponseError(ResponseCode.INVALID_PARAMETER, 'MIXED message type is not supported.')
    }
  }

  private alteredAttributes(existing: TopicConfig | undefined, text: string | undefined): Map<string, string> {
    try {
      return alterTopicAttributes(existing?.attributes, readAttributes(text))
    } catch (error) {
      throw asAnswer(error)
    }
  }

  private add(config: TopicConfig, why: string): TopicConfig {
    const { logger } = this.options
    logger.info({ event: 'topic-created', topic: config.topicName }, `created ${why}: ${topicConfigToString(config)}`)
    this.put(config)
    return config
  }

  private set(config: TopicConfig): void {
    this.table.set(config.topicName, config)
    this.tableVersion++
  }

  private put(config: TopicConfig): void {
    this.set(config)
    this.bumpDataVersion()
    for (const listener of this.listeners) listener([config])
  }

  private encode(): Iterable<string> {
    this.texts.keepOn()
    return prettyTables([
      ['dataVersion', prettyValue(this.dataVersion)],
      ['topicConfigTable', prettyMembers(this.table, 1, this.texts.textOf)],
    ])
  }
}

function readAttributes(text: string | undefined): Map<string, string> {
  try {
    return parseAttributes(text)
  } catch (error) {
    throw asAnswer(error)
  }
}

function asAnswer(error: unknown): unknown {
  return error instanceof AttributeError
    ? new ResponseError(ResponseCode.SYSTEM_ERROR, error.message, { cause: error })
    : error
}

function sameTopicConfig(a: TopicConfig, b: TopicConfig): boolean {
  return stringifyFastJson(a) === stringifyFastJson(b)
}
