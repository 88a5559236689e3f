import { isSystemTopic } from '../../common/index.js'
import { type BrokerStatsData, type StatsColumn, StatsRows } from './stats-item.js'

/** Messages that nobody chose a queue for, or whose queue is not counted by itself. */
export const UNASSIGNED_ROW = 0

/** What was put to a topic, queue by queue: the topic's own figures are their sum. */
export class TopicPuts extends StatsRows {
  /** Set when the counters are dropped: from then on the topic has others, or none. */
  isDropped = false
  /** A topic of the system is not counted among those of users. */
  readonly isSystem: boolean
  private readonly rows: number[] = []

  constructor(topic: string, slot: number) {
    super(slot)
    this.isSystem = isSystemTopic(topic)
    this.addRow(slot)
  }

  /** The row of a queue; undefined when it has none. */
  rowOf(queueId: number): number | undefined {
    return this.rows[queueId]
  }

  addQueue(queueId: number, slot: number): number {
    const row = this.addRow(slot)
    this.rows[queueId] = row
    return row
  }

  data(slot: number, column: StatsColumn): BrokerStatsData {
    return this.figures(0, this.rowCount, slot, column)
  }

  /** Undefined when nothing was counted for the queue. */
  queueData(queueId: number, slot: number, column: StatsColumn): BrokerStatsData | undefined {
    const row = this.rows[queueId]
    return row === undefined ? undefined : this.figures(row, row + 1, slot, column)
  }
}
