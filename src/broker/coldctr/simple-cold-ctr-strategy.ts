import { type ColdCtrLimits, type ColdCtrStrategy, decelerated, promoted } from './cold-ctr-strategy.js'

/** A group that used its limit up gets more; when all together read too much, the largest get less. */
export class SimpleColdCtrStrategy implements ColdCtrStrategy {
  constructor(private readonly limits: ColdCtrLimits) {}

  collect(): void {}

  promote(key: string, threshold: number): void {
    this.limits.addOrUpdateGroupConfig(key, promoted(threshold))
  }

  decelerate(key: string, threshold: number): void {
    if (this.limits.isGlobalColdCtr) this.limits.addOrUpdateGroupConfig(key, decelerated(threshold, this.limits))
  }
}
