/** Units in front of `position` in the timer log whose slot lies before `readTime` have been delivered. */
export interface DeliveredMark {
  readonly position: number
  readonly readTime: number
}

/** As many as the check point has room for. */
export const MOST_MARKS = 32

/**
 * What has been delivered of slots at or behind the present read time: those read before the clock was set back, and
 * the
 * first part of the slot that is being delivered. Without them a slot that is read again would deliver again.
 */
export class DeliveredMarks {
  /** Later marks have higher positions and lower times, else they cover the earlier ones. */
  private marks: DeliveredMark[] = []

  get list(): readonly DeliveredMark[] {
    return this.marks
  }

  restore(marks: readonly DeliveredMark[]): void {
    this.marks = [...marks]
  }

  add(mark: DeliveredMark): void {
    this.marks = this.marks.filter(old => old.readTime > mark.readTime)
    this.marks.push(mark)
    // more jumps than there is room for: the oldest can only cause a delivery twice
    if (this.marks.length > MOST_MARKS) this.marks.shift()
  }

  /** Forgets what the read time has passed. */
  passed(readTime: number): void {
    if (this.marks.length > 0) this.marks = this.marks.filter(mark => mark.readTime > readTime)
  }

  /** Whether the unit at `position` of the slot of `slotTime` has been delivered. */
  covers(slotTime: number, position: number): boolean {
    for (const mark of this.marks) if (slotTime < mark.readTime && position < mark.position) return true
    return false
  }
}
