import { isSystemPullGroup } from '../../common/index.js'
import { type Clock, type Logger, PeriodicTask } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import type { ColdCtrLimits, ColdCtrStrategy } from './cold-ctr-strategy.js'
import { PidAdaptiveColdCtrStrategy } from './pid-adaptive-cold-ctr-strategy.js'
import { SimpleColdCtrStrategy } from './simple-cold-ctr-strategy.js'

/** What may be read counts anew after this long. */
const WINDOW_MS = 5000
/** A group that has read nothing cold for this long is forgotten. */
const RESIDE_MS = 60_000
/** Marks limits that the strategy set, beside those an operator did. */
const ADAPTIVE = '||adaptive'
/** Adapted limits that may be lowered after one window. */
const MAX_DECELERATED = 3
/** The part of the limit of all groups that the PID strategy steers towards. */
const EXPECTED_PART = 0.8

/** What one group has read of old data. */
export interface ColdReads {
  /** Bytes, in this window. */
  coldAcc: number
  lastColdReadTimeMills: number
  readonly createTimeMills: number
}

/** The state of cold-data flow control; Java's names, thresholds in bytes per window. */
export interface ColdDataFlowCtrInfo {
  readonly globalAcc: number
  readonly cgColdReadThreshold: number
  /** Limits set for single groups; those of the strategy end in `||adaptive`. */
  readonly configTable: ReadonlyMap<string, number>
  readonly globalColdReadThreshold: number
  readonly runtimeTable: ReadonlyMap<string, Readonly<ColdReads>>
}

export interface ColdDataCgCtrServiceOptions {
  settings: Pick<
    BrokerSettings,
    | 'coldDataFlowControlEnable'
    | 'coldCtrStrategyEnable'
    | 'usePIDColdCtrStrategy'
    | 'cgColdReadThreshold'
    | 'globalColdReadThreshold'
  >
  clock: Clock
  logger: Logger
}

/** Counts what each group reads of old data, window by window, and says who has read enough (broker-behaviour 16.2). */
export class ColdDataCgCtrService implements ColdCtrLimits {
  private readonly runtimeTable = new Map<string, ColdReads>()
  private readonly configTable = new Map<string, number>()
  private readonly strategy: ColdCtrStrategy
  private readonly windows: PeriodicTask
  private globalAcc = 0

  constructor(private readonly options: ColdDataCgCtrServiceOptions) {
    const { settings, clock, logger } = options
    this.strategy = settings.usePIDColdCtrStrategy
      ? new PidAdaptiveColdCtrStrategy(this, () => Math.floor(settings.globalColdReadThreshold * EXPECTED_PART))
      : new SimpleColdCtrStrategy(this)
    const run = (): void => this.endWindow()
    this.windows = new PeriodicTask({ name: 'cold reads', periodMs: WINDOW_MS, clock, logger, run })
  }

  start(): void {
    this.windows.start()
  }

  stop(): Promise<void> {
    return this.windows.stop()
  }

  get cgColdReadThreshold(): number {
    return this.options.settings.cgColdReadThreshold
  }

  get isGlobalColdCtr(): boolean {
    return this.globalAcc > this.options.settings.globalColdReadThreshold
  }

  get info(): ColdDataFlowCtrInfo {
    const { globalColdReadThreshold } = this.options.settings
    const { globalAcc, cgColdReadThreshold, configTable, runtimeTable } = this
    return { globalAcc, cgColdReadThreshold, configTable, globalColdReadThreshold, runtimeTable }
  }

  /** A group was given `bytes` of old data. */
  coldAcc(group: string, bytes: number): void {
    if (isSystemPullGroup(group)) return
    this.globalAcc += bytes
    const now = this.options.clock.now()
    const reads = this.runtimeTable.get(group)
    if (reads === undefined) {
      this.runtimeTable.set(group, { coldAcc: bytes, lastColdReadTimeMills: now, createTimeMills: now })
      return
    }
    reads.coldAcc += bytes
    reads.lastColdReadTimeMills = now
  }

  /** Whether a group has read enough old data in this window: it may go on with what is recent. */
  isCgNeedColdDataFlowCtr(group: string): boolean {
    const { settings } = this.options
    // every pull comes by here
    if (!settings.coldDataFlowControlEnable) return false
    // a system group is never in the table
    const reads = this.runtimeTable.get(group)
    if (reads === undefined) return false
    return reads.coldAcc >= this.thresholdOf(group) || this.globalAcc >= settings.globalColdReadThreshold
  }

  /** Sets the limit of one group, in bytes per window, until the broker stops. */
  addOrUpdateGroupConfig(group: string, threshold: number): void {
    this.configTable.set(group, threshold)
  }

  removeGroupConfig(group: string): void {
    this.configTable.delete(group)
  }

  /** What an operator set, else what the strategy did, else what every group has. */
  private thresholdOf(group: string): number {
    const adaptive = this.options.settings.coldCtrStrategyEnable ? this.configTable.get(group + ADAPTIVE) : undefined
    return this.configTable.get(group) ?? adaptive ?? this.cgColdReadThreshold
  }

  private endWindow(): void {
    const { coldCtrStrategyEnable, globalColdReadThreshold } = this.options.settings
    const { globalAcc } = this
    if (coldCtrStrategyEnable) this.strategy.collect(globalAcc)
    for (const [group, reads] of this.runtimeTable) this.endWindowOf(group, reads)
    if (this.isGlobalColdCtr) {
      this.options.logger.info(
        { event: 'cold-reads-limited', bytes: globalAcc, threshold: globalColdReadThreshold },
        `all groups read ${globalAcc} bytes of old data in ${WINDOW_MS} ms, ${globalColdReadThreshold} allowed`,
      )
    }
    if (coldCtrStrategyEnable) this.decelerateLargest()
    else for (const key of this.configTable.keys()) if (key.endsWith(ADAPTIVE)) this.configTable.delete(key)
    this.globalAcc = 0
  }

  private endWindowOf(group: string, reads: ColdReads): void {
    const { clock, settings, logger } = this.options
    const bytes = reads.coldAcc
    reads.coldAcc = 0
    if (clock.now() >= reads.lastColdReadTimeMills + RESIDE_MS) {
      if (settings.coldCtrStrategyEnable) this.configTable.delete(group + ADAPTIVE)
      this.runtimeTable.delete(group)
      return
    }
    const threshold = this.thresholdOf(group)
    if (bytes < threshold) return
    logger.info(
      { event: 'cold-reads-limited', group, bytes, threshold },
      `group ${group} read ${bytes} bytes of old data in ${WINDOW_MS} ms, ${threshold} allowed`,
    )
    if (settings.coldCtrStrategyEnable && !this.isGlobalColdCtr && !this.configTable.has(group)) {
      this.strategy.promote(group + ADAPTIVE, threshold)
    }
  }

  private decelerateLargest(): void {
    const adapted = [...this.configTable].filter(
      ([key]) => key.endsWith(ADAPTIVE) && !this.configTable.has(key.slice(0, -ADAPTIVE.length)),
    )
    adapted.sort(([, a], [, b]) => b - a)
    for (const [key, threshold] of adapted.slice(0, MAX_DECELERATED)) this.strategy.decelerate(key, threshold)
  }
}
