import {
  type DataVersion,
  groupNameProblem,
  isInternalGroup,
  isLmq,
  type JsonObject,
  newSubscriptionGroupConfig,
  ResponseCode,
  ResponseError,
  readNumber,
  readObject,
  type SubscriptionGroupConfig,
  SystemGroup,
  stringifyFastJson,
  subscriptionGroupConfigFromJson,
} from '../../common/index.js'
import type { Clock, Logger } from '../../util/index.js'
import { KeptTexts, prettyMembers, prettyTables, prettyValue } from '../config-json.js'
import type { BrokerSettings } from '../settings.js'
import { VersionedFile } from '../versioned-file.js'

export interface SubscriptionGroupManagerOptions {
  settings: Pick<
    BrokerSettings,
    'storePathRootDir' | 'autoCreateSubscriptionGroup' | 'enableCreateSysGroup' | 'enableLmq'
  >
  clock: Clock
  logger: Logger
}

/** Numbers of the bits in the forbidden table; those of permissions. */
export const ForbiddenBit = { WRITE: 1, READ: 2 } as const

/** Groups every broker has (broker-behaviour 1.5). */
const builtInGroups = [
  SystemGroup.TOOLS_CONSUMER,
  SystemGroup.FILTERSRV_CONSUMER,
  SystemGroup.SELF_TEST_CONSUMER,
  SystemGroup.ONS_HTTP_PROXY,
  SystemGroup.ONSAPI_PULL,
  SystemGroup.ONSAPI_PERMISSION,
  SystemGroup.ONSAPI_OWNER,
  SystemGroup.SYS_RMQ_TRANS,
] as const

/**
 * The consumer groups of this broker, kept in `config/subscriptionGroup.json`. A SubscriptionGroupConfig in the table
 * is replaced, never changed.
 */
export class SubscriptionGroupManager {
  private readonly table = new Map<string, SubscriptionGroupConfig>()
  private readonly forbidden = new Map<string, Map<string, number>>()
  private readonly file: VersionedFile
  private readonly texts: KeptTexts

  constructor(private readonly options: SubscriptionGroupManagerOptions) {
    const { settings, clock, logger } = options
    this.texts = new KeptTexts(clock)
    for (const group of builtInGroups) this.table.set(group, newSubscriptionGroupConfig(group))
    this.file = new VersionedFile({
      rootDir: settings.storePathRootDir,
      name: 'subscriptionGroup.json',
      clock,
      logger,
      encode: () => this.encode(),
      decode: json => this.decode(json),
    })
  }

  /** @throws MQError ERR_CONFIG_FILE */
  load(): void {
    const wasThere = this.file.load()
    if (!wasThere) this.file.saveSoon()
    const { logger } = this.options
    logger.info({ event: 'groups-loaded', groups: this.table.size, path: this.file.path }, `${this.table.size} groups`)
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

  get subscriptionGroupTable(): ReadonlyMap<string, SubscriptionGroupConfig> {
    return this.table
  }

  get forbiddenTable(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.forbidden
  }

  /** `{dataVersion, forbiddenTable, subscriptionGroupTable}`. */
  toJson(): string {
    const { dataVersion, forbidden, table } = this
    return stringifyFastJson({ dataVersion, forbiddenTable: forbidden, subscriptionGroupTable: table })
  }

  getSubscriptionGroupConfig(group: string): SubscriptionGroupConfig | undefined {
    return this.table.get(group)
  }

  containsSubscriptionGroup(group: string): boolean {
    return this.table.has(group) || this.isLight(group)
  }

  /** With `enableLmq` a group named like a light queue is there without being in the table. */
  private isLight(group: string): boolean {
    return this.options.settings.enableLmq && isLmq(group)
  }

  /** The group, created when it is not there and groups may create themselves. */
  findSubscriptionGroupConfig(group: string): SubscriptionGroupConfig | undefined {
    const existing = this.table.get(group)
    if (existing !== undefined) return existing
    if (this.isLight(group)) return newSubscriptionGroupConfig(group)
    const { settings, logger } = this.options
    const mayCreate = settings.autoCreateSubscriptionGroup || (settings.enableCreateSysGroup && isInternalGroup(group))
    if (!mayCreate || groupNameProblem(group) !== undefined) return undefined
    const config = newSubscriptionGroupConfig(group)
    logger.info({ event: 'group-created', group }, `created group ${group} for its first consumer`)
    this.put(config)
    return config
  }

  /**
   * Creates or replaces a group (code 200); nothing is kept of those of light queues.
   * @throws ResponseError INVALID_PARAMETER for its name, SYSTEM_ERROR for attributes: groups have none.
   */
  updateSubscriptionGroupConfig(config: SubscriptionGroupConfig): void {
    if (this.isLight(config.groupName)) return
    const problem = groupNameProblem(config.groupName)
    if (problem !== undefined) throw new ResponseError(ResponseCode.INVALID_PARAMETER, problem)
    const attributes = groupAttributes(config)
    const isNew = !this.table.has(config.groupName)
    this.put({ ...config, attributes })
    const { logger } = this.options
    logger.info(
      { event: isNew ? 'group-created' : 'group-updated', group: config.groupName },
      `${isNew ? 'created' : 'changed'} group ${stringifyFastJson(config)}`,
    )
  }

  /** False when there was none. */
  deleteSubscriptionGroupConfig(group: string): boolean {
    const wasForbidden = this.forbidden.delete(group)
    const wasThere = this.table.delete(group)
    if (wasThere) this.options.logger.info({ event: 'group-deleted', group }, `deleted group ${group}`)
    if (wasThere || wasForbidden) this.changed()
    return wasThere
  }

  /** Stops deliveries to a group. */
  disableConsume(group: string): void {
    const config = this.table.get(group)
    if (config?.consumeEnable) this.put({ ...config, consumeEnable: false })
  }

  /** The forbidden bits of a group and topic. */
  getForbidden(group: string, topic: string): number {
    return Math.max(0, this.forbidden.get(group)?.get(topic) ?? 0)
  }

  isForbidden(group: string, topic: string, bit: number): boolean {
    return (this.getForbidden(group, topic) & (1 << bit)) !== 0
  }

  /** Sets or clears one bit (code 353). Clearing the last bit of a topic forgets the whole group, as Java does. */
  updateForbidden(group: string, topic: string, bit: number, isForbidden: boolean): void {
    const old = this.getForbidden(group, topic)
    const bits = isForbidden ? old | (1 << bit) : old & ~(1 << bit)
    if (bits <= 0) {
      this.forbidden.delete(group)
    } else {
      const topics = this.forbidden.get(group) ?? new Map<string, number>()
      topics.set(topic, bits)
      this.forbidden.set(group, topics)
    }
    const { logger } = this.options
    logger.info(
      { event: 'group-forbidden', group, topic, bits },
      `${group} may not use ${topic}: bits ${old} -> ${bits}`,
    )
    this.changed()
  }

  private put(config: SubscriptionGroupConfig): void {
    this.table.set(config.groupName, config)
    this.changed()
  }

  private changed(): void {
    this.file.nextVersion()
    this.file.saveSoon()
  }

  private encode(): Iterable<string> {
    this.texts.keepOn()
    return prettyTables([
      ['dataVersion', prettyValue(this.dataVersion)],
      ['forbiddenTable', prettyMembers(this.forbidden, 1)],
      ['subscriptionGroupTable', prettyMembers(this.table, 1, this.texts.textOf)],
    ])
  }

  private decode(file: JsonObject): void {
    for (const [group, json] of Object.entries(readObject(file.subscriptionGroupTable))) {
      this.table.set(group, { ...subscriptionGroupConfigFromJson(json), groupName: group })
    }
    for (const [group, json] of Object.entries(readObject(file.forbiddenTable))) {
      const topics = Object.entries(readObject(json)).map(([topic, bits]) => [topic, readNumber(bits, 0)] as const)
      this.forbidden.set(group, new Map(topics))
    }
  }
}

/** Release 5.3.3 knows no attribute of a group, so a change of any is refused in its words. */
function groupAttributes(config: SubscriptionGroupConfig): Map<string, string> {
  for (const key of config.attributes.keys()) {
    const name = key.replace(/^[+-]/, '')
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, `unsupported key: ${name}`)
  }
  return new Map()
}
