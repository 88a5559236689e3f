/*
 * A unit of the timer log, big-endian (store-format 11.3):
 *
 *   0 i32 size, 52            4 i64 previous unit of the slot, -1 none   12 i32 magic bits
 *  16 i64 write time, ms     24 i32 slot time - write time, ms           28 i64 offset in the commit log
 *  36 i32 size of the record 40 i32 Java hash of the real topic          44 i64 0
 */
export const TIMER_UNIT_SIZE = 52
export const UnitField = {
  SIZE: 0,
  PREVIOUS: 4,
  MAGIC: 12,
  WRITE_TIME: 16,
  DELAY: 24,
  PHYSICAL_OFFSET: 28,
  RECORD_SIZE: 36,
  TOPIC_HASH: 40,
  RESERVED: 44,
} as const

/** i32 bytes left in the file, i64 0, i32 magic: what ends a file that has no room for a unit and such a blank. */
export const TIMER_BLANK_SIZE = 16
export const TIMER_BLANK_MAGIC = 0xcbd43194 | 0

/** Bits of a unit's magic number. */
export const TimerMagic = {
  DEFAULT: 1,
  /** Not the real deliver time: the message goes back to the timer topic when the slot is due. */
  ROLL: 2,
  /** Takes back the message that its record names, in the same slot. */
  DELETE: 4,
} as const

/** No unit: end of a slot's chain. */
export const NO_POSITION = -1

export function isDeleteMarker(magic: number): boolean {
  return (magic & (TimerMagic.DELETE | TimerMagic.ROLL)) === TimerMagic.DELETE
}

export function isRolled(magic: number): boolean {
  return (magic & TimerMagic.ROLL) !== 0
}

/** One unit of the log. Objects of this form are filled again and again. */
export interface TimerUnit {
  previous: number
  magic: number
  /** Ms: the clock, floored to the precision, when the unit was written. */
  writeTime: number
  /** Ms: the slot it belongs to. */
  slotTime: number
  physicalOffset: number
  recordSize: number
  topicHash: number
}

export function newTimerUnit(): TimerUnit {
  return {
    previous: NO_POSITION,
    magic: 0,
    writeTime: 0,
    slotTime: 0,
    physicalOffset: 0,
    recordSize: 0,
    topicHash: 0,
  }
}
