import { MESSAGE_MAGIC_V1, RecordPosition } from '../common/index.js'
import type { MappedFile } from './mapped-file.js'
import { problemOf } from './record-check.js'
import { RecordReader } from './record-reader.js'

const magic = Buffer.alloc(4)
magic.writeInt32BE(MESSAGE_MAGIC_V1)
/** What the magic numbers of both record versions begin with. */
const MAGIC_PREFIX = magic.subarray(0, 3)

const probe = new RecordReader()
probe.checksCrc = true

/**
 * The first position in `[from, to)` of a mapped file at which a sound record stands: magic number, sizes, body CRC
 * and its own idea of where it is all fit.
 */
export function findRecord(
  file: MappedFile,
  from: number,
  to: number,
  isWanted: (at: number) => boolean = () => true,
): number | undefined {
  const { buffer, length } = file
  const part = buffer.subarray(0, Math.min(to + RecordPosition.MAGIC + MAGIC_PREFIX.length, length))
  const first = from + RecordPosition.MAGIC
  for (let hit = part.indexOf(MAGIC_PREFIX, first); hit >= 0; hit = part.indexOf(MAGIC_PREFIX, hit + 1)) {
    const at = hit - RecordPosition.MAGIC
    if (probe.read(buffer, file.view, at, length) !== 'record') continue
    const physicalOffset = file.startOffset + at
    if (problemOf(probe, buffer, { at, physicalOffset, verifyPropertyCrc: false }) === undefined && isWanted(at))
      return at
  }
  return undefined
}
