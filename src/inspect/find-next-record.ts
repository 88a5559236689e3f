import { BLANK_MAGIC, MIN_RECORD_LENGTH, RecordPosition, storeTimestampPosition } from '../common/index.js'
import { RecordReader } from '../store/index.js'
import { type DiskFile, readInt64 } from '../util/index.js'
import { FileWindow, viewOf } from './file-window.js'
import type { SegmentFile } from './store-directory.js'

/** Both record magics begin with these bytes. */
const RECORD_MAGIC_START = Buffer.from([0xda, 0xa3, 0x20])
const BLANK_MAGIC_BYTES = Buffer.alloc(4)
BLANK_MAGIC_BYTES.writeInt32BE(BLANK_MAGIC)
const STEP_BYTES = 4 * 1024 * 1024
/** A magic number has the four bytes of the record's size in front of it. */
const HEAD = 8
/** Larger than any record of a sane broker; a damaged size must not exhaust the memory. */
export const LARGEST_RECORD = 256 * 1024 * 1024

export interface RecordSearch {
  /** The log's file, and the same opened. */
  file: SegmentFile
  open: DiskFile
  /** Position in the file from which to look. */
  from: number
  /**
   * Records stored earlier do not count: behind the end of a log that was cut after a crash there may be whole records
   * of before the crash.
   */
  minStoreTimestamp: number
}

/**
 * Position in the file of the next record, or of the blank that ends the file; undefined when there is none. A record
 * is believed when its parts add up and it says that it stands where it stands.
 */
export async function findNextRecord(search: RecordSearch): Promise<number | undefined> {
  const { open, from } = search
  const window = new FileWindow(open, STEP_BYTES)
  for (let at = from; at + HEAD <= open.length; at = Math.max(at + 1, window.end - (HEAD - 1))) {
    await window.fill(at)
    const bytes = window.buffer.subarray(0, window.end - window.start)
    for (const position of candidates(bytes)) {
      if (await isRecord(search, at + position)) return at + position
    }
    if (window.end >= open.length || bytes.length < HEAD) return undefined
  }
  return undefined
}

/** Where records may begin, in order. */
function* candidates(bytes: Buffer): Iterable<number> {
  let record = bytes.indexOf(RECORD_MAGIC_START, RecordPosition.MAGIC)
  let blank = bytes.indexOf(BLANK_MAGIC_BYTES, RecordPosition.MAGIC)
  while (record >= 0 || blank >= 0) {
    if (blank < 0 || (record >= 0 && record < blank)) {
      yield record - RecordPosition.MAGIC
      record = bytes.indexOf(RECORD_MAGIC_START, record + 1)
    } else {
      yield blank - RecordPosition.MAGIC
      blank = bytes.indexOf(BLANK_MAGIC_BYTES, blank + 1)
    }
  }
}

async function isRecord({ file, open, minStoreTimestamp }: RecordSearch, at: number): Promise<boolean> {
  const head = Buffer.alloc(Math.min(MIN_RECORD_LENGTH, open.length - at))
  if ((await open.read(head, at)) < head.length) return false
  const size = head.readInt32BE(0)
  if (head.readInt32BE(RecordPosition.MAGIC) === BLANK_MAGIC) return at + size === open.length
  if (size < MIN_RECORD_LENGTH || size > LARGEST_RECORD || at + size > open.length) return false
  if (readInt64(head, RecordPosition.PHYSICAL_OFFSET) !== file.startOffset + at) return false
  const storeTimeAt = storeTimestampPosition(head.readInt32BE(RecordPosition.SYS_FLAG))
  if (readInt64(head, storeTimeAt) < minStoreTimestamp) return false
  const record = Buffer.allocUnsafe(size)
  if ((await open.read(record, at)) < size) return false
  return new RecordReader().read(record, viewOf(record), 0, size) === 'record'
}
