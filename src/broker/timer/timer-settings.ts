/** Keys of the configuration that the timer reads, under Java's names. The live object is read at use. Times in ms. */
export interface TimerSettings {
  readonly storePathRootDir: string
  readonly brokerRole: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE'
  readonly timerWheelEnable: boolean
  readonly mappedFileSizeTimerLog: number
  readonly timerPrecisionMs: number
  readonly timerRollWindowSlot: number
  readonly timerFlushIntervalMs: number
  readonly timerMaxDelaySec: number
  /** Per slot; beyond it messages are refused at random, beyond twice as many always. */
  readonly timerCongestNumEachSlot: number
  readonly timerStopEnqueue: boolean
  readonly timerStopDequeue: boolean
  readonly timerEnableCheckMetrics: boolean
  /** Hours of the day, `05` or `05;17`. */
  readonly timerCheckMetricsWhen: string
  readonly timerMetricSmallThreshold: number
  readonly timerProgressLogIntervalMs: number
  readonly disappearTimeAfterStart: number
}
