import { hasValidPropertyCrc } from './property-crc.js'
import type { RecordReader } from './record-reader.js'

const SECTOR = 512

/** What Java does not check of a record that reads well; the problem, or undefined when it is sound. */
export function problemOf(
  reader: RecordReader,
  bytes: Buffer,
  place: { at: number; physicalOffset: number; verifyPropertyCrc: boolean },
): string | undefined {
  const { at, physicalOffset, verifyPropertyCrc } = place
  if (reader.physicalOffset !== physicalOffset) return `a record that belongs to offset ${reader.physicalOffset}`
  if (isTorn(bytes, reader.topicStart, reader.topicEnd, reader.propertiesEnd)) {
    return 'a topic or properties of which a part is missing'
  }
  if (verifyPropertyCrc && !hasValidPropertyCrc(bytes, at, at + reader.totalSize)) {
    return 'a record without a fitting __CRC32# property'
  }
  return undefined
}

/**
 * No CRC covers topic and properties: what a power cut or a cut file took of them is zeros. Zero characters stand in no
 * topic, nor at the end of properties, and do not fill what a record has in a sector.
 */
function isTorn(bytes: Buffer, topicStart: number, topicEnd: number, end: number): boolean {
  for (let at = topicStart; at < topicEnd; at++) if (bytes[at] === 0) return true
  const propertiesStart = topicEnd + 2
  if (end === propertiesStart) return false
  return bytes[end - 1] === 0 || hasZeroSector(bytes, propertiesStart, end)
}

/** Whether some sector of 512 bytes holds nothing but zeros between the two positions: a write that never came. */
export function hasZeroSector(bytes: Buffer, start: number, end: number): boolean {
  for (let from = Math.ceil(start / SECTOR) * SECTOR; from < end; from += SECTOR) {
    let at = from
    const to = Math.min(from + SECTOR, end)
    while (at < to && bytes[at] === 0) at++
    if (at === to) return true
  }
  return false
}
