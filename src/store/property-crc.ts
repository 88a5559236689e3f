import { appendProperties, removeProperty } from '../common/index.js'
import { crc31 } from './crc.js'

const NAME = Buffer.from('__CRC32#')
/** `__CRC32#` 0x01 ten digits 0x02, always the end of the record (store-format 2.5). */
export const PROPERTY_CRC_LENGTH = 20

const reserve = Buffer.from(`__CRC32#\u00010000000000\u0002`)

/** The properties without a client's CRC, followed by room for ours. */
export function withCrcReserve(properties: string | Buffer): Buffer {
  const bytes = typeof properties === 'string' ? Buffer.from(properties) : properties
  return appendProperties(removeProperty(bytes, NAME), reserve)
}

/** Fills the reserve of the record in `bytes[start, end)`: digits of the CRC of all before, the least one first. */
export function writePropertyCrc(bytes: Buffer, start: number, end: number): void {
  let value = crc31(bytes, start, end - PROPERTY_CRC_LENGTH)
  for (let at = end - 11; at < end - 1; at++) {
    bytes[at] = 0x30 + (value % 10)
    value = Math.floor(value / 10)
  }
}

/** Whether the record in `bytes[start, end)` ends with a CRC property that fits it. */
export function hasValidPropertyCrc(bytes: Buffer, start: number, end: number): boolean {
  const at = end - PROPERTY_CRC_LENGTH
  if (at < start || bytes.compare(reserve, 0, 9, at, at + 9) !== 0) return false
  let value = 0
  for (let i = end - 2; i >= end - 11; i--) value = value * 10 + (bytes[i]! - 0x30)
  return value === crc31(bytes, start, at)
}
