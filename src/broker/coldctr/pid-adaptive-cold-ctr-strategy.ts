import { type ColdCtrLimits, type ColdCtrStrategy, decelerated, promoted } from './cold-ctr-strategy.js'

/** Windows looked back on; there is no judgement before there are as many. */
const WINDOWS = 10
const PROPORTIONAL = 0.5
const INTEGRAL = 0.3
const DERIVATIVE = 0.2

/** Steers what all groups read together towards a value, by the last ten windows. */
export class PidAdaptiveColdCtrStrategy implements ColdCtrStrategy {
  /** How far each window stayed below the value, the latest last. */
  private readonly errors: number[] = []

  constructor(
    private readonly limits: ColdCtrLimits,
    /** Bytes per window. */
    private readonly expectGlobalVal: () => number,
  ) {}

  collect(globalAcc: number): void {
    this.errors.push(this.expectGlobalVal() - globalAcc)
    if (this.errors.length > WINDOWS) this.errors.shift()
  }

  promote(key: string, threshold: number): void {
    if (this.decisionFactor > 0) this.limits.addOrUpdateGroupConfig(key, promoted(threshold))
  }

  decelerate(key: string, threshold: number): void {
    if (this.decisionFactor < 0) this.limits.addOrUpdateGroupConfig(key, decelerated(threshold, this.limits))
  }

  /** Above 0: there is room for more; below: it is too much. */
  private get decisionFactor(): number {
    if (this.errors.length < WINDOWS) return 0
    const latest = this.errors[WINDOWS - 1]!
    const change = latest - this.errors[WINDOWS - 2]!
    const sum = this.errors.reduce((total, error) => total + error, 0)
    return PROPORTIONAL * latest + INTEGRAL * sum + DERIVATIVE * change
  }
}
