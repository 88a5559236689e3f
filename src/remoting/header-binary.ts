import { MQError } from '../util/index.js'
import type { ExtFields, RemotingCommand } from './command.js'

/**
 * Header serialization 1 (ROCKETMQ), wire-protocol 3:
 *
 *   i16 code | u8 language | i16 version | i32 opaque | i32 flag | i32 remarkLen, remark | i32 extLen, entries
 *   entry: i16 keyLen, key | i32 valueLen, value
 */
const FIXED = 21

/** Codes above 32 767 wrap to 16 bits on the way; these are the ones that exist (wire-protocol 3). */
const UNWRAPPED: Readonly<Record<number, number>> = {
  3442: 200050,
  3443: 200051,
  3444: 200052,
  3445: 200053,
  3446: 200054,
  3447: 200055,
  3448: 200056,
  3543: 200151,
}

/** @throws MQError ERR_REMOTING_HEADER when a length leads outside the header: the connection is closed. */
export function decodeBinaryHeader(frame: Buffer, from: number, to: number, into: RemotingCommand): void {
  if (to - from < FIXED) throw outside('fixed part', to - from)
  const code = frame.readInt16BE(from)
  into.language = frame[from + 2]!
  into.version = frame.readInt16BE(from + 3)
  into.opaque = frame.readInt32BE(from + 5)
  into.flag = frame.readInt32BE(from + 9)
  into.code = into.isResponse ? code : (UNWRAPPED[code] ?? code)
  const remarkLength = frame.readInt32BE(from + 13)
  let at = from + 17
  if (remarkLength < 0 || at + remarkLength + 4 > to) throw outside('remark', remarkLength)
  into.remark = remarkLength === 0 ? undefined : frame.toString('utf8', at, at + remarkLength)
  at += remarkLength
  const extLength = frame.readInt32BE(at)
  at += 4
  if (extLength < 0 || at + extLength > to) throw outside('extFields', extLength)
  into.extFields = extLength === 0 ? undefined : decodeEntries(frame, at, at + extLength)
}

function decodeEntries(frame: Buffer, from: number, to: number): ExtFields {
  const ext: ExtFields = {}
  let at = from
  while (at < to) {
    if (at + 2 > to) throw outside('a key', to - at)
    const keyLength = frame.readInt16BE(at)
    at += 2
    if (keyLength < 0 || at + keyLength + 4 > to) throw outside('a key', keyLength)
    const key = frame.toString('latin1', at, at + keyLength)
    at += keyLength
    const valueLength = frame.readInt32BE(at)
    at += 4
    if (valueLength < 0 || at + valueLength > to) throw outside('a value', valueLength)
    // an empty value is null in Java: the field is absent
    if (keyLength > 0 && valueLength > 0) setEntry(ext, key, frame.toString('utf8', at, at + valueLength))
    at += valueLength
  }
  return ext
}

function setEntry(ext: ExtFields, key: string, value: string): void {
  if (key === '__proto__')
    Object.defineProperty(ext, key, { value, enumerable: true, configurable: true, writable: true })
  else ext[key] = value
}

function outside(what: string, length: number): MQError {
  return new MQError(
    'ERR_REMOTING_HEADER',
    `the binary header says ${length} bytes for ${what}, which leads outside it`,
  )
}

export interface BinaryHeaderFields {
  code: number
  flag: number
  language: number
  opaque: number
  version: number
  remark: string | undefined
  /** Calls the visitor for each ext entry in wire order. */
  forEachExt: (visit: (key: string, value: string) => void) => void
}

/** Encodes header serialization 1. Entries with an empty value are skipped: they would decode to null. */
export function encodeBinaryHeader(h: BinaryHeaderFields): Buffer {
  const remark = h.remark === undefined ? undefined : Buffer.from(h.remark)
  const entries: Buffer[] = []
  let extLength = 0
  h.forEachExt((key, value) => {
    if (value === '') return
    const keyLength = Buffer.byteLength(key)
    const entry = Buffer.allocUnsafe(6 + keyLength + Buffer.byteLength(value))
    entry.writeInt16BE(keyLength, 0)
    entry.write(key, 2)
    entry.writeInt32BE(entry.length - 6 - keyLength, 2 + keyLength)
    entry.write(value, 6 + keyLength)
    entries.push(entry)
    extLength += entry.length
  })
  const remarkLength = remark?.length ?? 0
  const out = Buffer.allocUnsafe(FIXED + remarkLength + extLength)
  out.writeInt16BE((h.code << 16) >> 16, 0)
  out[2] = h.language & 0xff
  out.writeInt16BE(h.version, 3)
  out.writeInt32BE(h.opaque, 5)
  out.writeInt32BE(h.flag, 9)
  out.writeInt32BE(remarkLength, 13)
  remark?.copy(out, 17)
  let at = 17 + remarkLength
  out.writeInt32BE(extLength, at)
  at += 4
  for (const entry of entries) at += entry.copy(out, at)
  return out
}
