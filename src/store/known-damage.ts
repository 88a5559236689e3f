import type { CommitLog } from './commit-log.js'
import type { DamageLog } from './damage.js'
import { problemOf } from './record-check.js'
import { RecordReader } from './record-reader.js'
import type { StoreMarks } from './store-marks.js'

export interface KnownDamageParts {
  log: CommitLog
  damage: DamageLog
  marks: StoreMarks
}

/** More are not kept: a start finds them again where it scans. */
const KEPT = 10_000

/**
 * Tells the damage log what earlier starts found: reading checks no CRC, and this start may not scan that far back.
 * Where a sound record begins now, the Java broker has cut the log at the damage and gone on there: from then on it is
 * another log.
 */
export function recallDamage({ log, damage, marks }: KnownDamageParts): void {
  for (const [from, to] of marks.damagedParts) {
    if (from >= log.maxOffset || isSoundAt(log, from)) return
    if (to > log.minOffset) damage.recall(from, to)
  }
}

/** Notes for later starts what is damaged in front of `endOffset`, where the log goes on. */
export function keepDamage({ log, damage, marks }: KnownDamageParts, endOffset: number): void {
  damage.forgetFrom(endOffset)
  marks.damagedParts = damage.parts.filter(([, to]) => to > log.minOffset).slice(0, KEPT)
}

function isSoundAt(log: CommitLog, physicalOffset: number): boolean {
  const file = log.files.find(physicalOffset)?.map()
  if (file === undefined) return false
  const reader = new RecordReader()
  reader.checksCrc = true
  const at = physicalOffset - file.startOffset
  const kind = reader.read(file.buffer, file.view, at, file.length)
  if (kind !== 'record') return false
  return problemOf(reader, file.buffer, { at, physicalOffset, verifyPropertyCrc: false }) === undefined
}
