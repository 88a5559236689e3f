import type { BrokerSettings } from '../settings.js'

/** Keys of the configuration that the timer reads. */
export type TimerSettings = Pick<
  BrokerSettings,
  | 'storePathRootDir'
  | 'brokerRole'
  | 'timerWheelEnable'
  | 'mappedFileSizeTimerLog'
  | 'timerPrecisionMs'
  | 'timerRollWindowSlot'
  | 'timerFlushIntervalMs'
  | 'timerMaxDelaySec'
  | 'timerCongestNumEachSlot'
  | 'timerStopEnqueue'
  | 'timerStopDequeue'
  | 'disappearTimeAfterStart'
  | 'timerEnableCheckMetrics'
  | 'timerCheckMetricsWhen'
  | 'timerMetricSmallThreshold'
  | 'timerProgressLogIntervalMs'
>
