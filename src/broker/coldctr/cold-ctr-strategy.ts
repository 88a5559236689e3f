/** What a strategy sees and changes of the limits. */
export interface ColdCtrLimits {
  /** Of a group that nobody set one for; in bytes per window. */
  readonly cgColdReadThreshold: number
  /** Whether all groups together have read more than they may in this window. */
  readonly isGlobalColdCtr: boolean
  addOrUpdateGroupConfig(key: string, threshold: number): void
}

/** Moves the limits of groups after each window (`coldCtrStrategyEnable`); a key is that of an adapted limit. */
export interface ColdCtrStrategy {
  /** Told first: what all groups together read in the window, in bytes. */
  collect(globalAcc: number): void
  /** A group used its limit up. */
  promote(key: string, threshold: number): void
  /** One of the largest adapted limits. */
  decelerate(key: string, threshold: number): void
}

const FASTER = 1.5
const SLOWER = 0.8

export function promoted(threshold: number): number {
  return Math.floor(threshold * FASTER)
}

/** Never below the limit that every group has. */
export function decelerated(threshold: number, { cgColdReadThreshold }: ColdCtrLimits): number {
  return Math.max(Math.floor(threshold * SLOWER), cgColdReadThreshold)
}
