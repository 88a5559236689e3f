import type { Clock, Timer } from '../../util/index.js'

/** Messages put and handed out since the start, and what those totals were at the last two local midnights. */
export class DailyTotals {
  put = 0
  get = 0
  putAtTodayMorning = 0
  getAtTodayMorning = 0
  putAtYesterdayMorning = 0
  getAtYesterdayMorning = 0
  private timer: Timer | undefined

  constructor(private readonly clock: Clock) {}

  start(): void {
    this.timer = this.clock.after(msToMidnight(this.clock.now()), () => {
      this.turnOfDay()
      this.start()
    })
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  private turnOfDay(): void {
    this.putAtYesterdayMorning = this.putAtTodayMorning
    this.getAtYesterdayMorning = this.getAtTodayMorning
    this.putAtTodayMorning = this.put
    this.getAtTodayMorning = this.get
  }
}

function msToMidnight(now: number): number {
  const midnight = new Date(now)
  midnight.setHours(24, 0, 0, 0)
  return Math.max(1, midnight.getTime() - now)
}
