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
  // one decode for all entries: where everything is ASCII, as in nearly every header, text and bytes have one numbering
  const text = frame.toString('utf8', from, to)
  const ascii = text.length === to - from
  const slice = (start: number, end: number): string =>
    ascii ? text.slice(start - from, end - from) : frame.toString('utf8', start, end)
  let at = from
  while (at < to) {
    if (at + 2 > to) throw outside('a key', to - at)
    const keyLength = frame.readInt16BE(at)
    at += 2
    if (keyLength < 0 || at + keyLength + 4 > to) throw outside('a key', keyLength)
    const key = slice(at, at + keyLength)
    at += keyLength
    const valueLength = frame.readInt32BE(at)
    at += 4
    if (valueLength < 0 || at + valueLength > to) throw outside('a value', valueLength)
    // an empty value is null in Java: the field is absent
    if (keyLength > 0 && valueLength > 0) setEntry(ext, key, slice(at, at + valueLength))
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
  /** The entries, each made by {@link binaryEntry}, one after the other. */
  entries: string
}

/**
 * Encodes header serialization 1 as a byte string: a text whose characters are the bytes. Building one text and writing
 * it once is several times faster than writing each length and value into a Buffer.
 */
export function encodeBinaryHeader(h: BinaryHeaderFields): string {
  const remark = h.remark === undefined ? '' : bytesOf(h.remark)
  return (
    int16(h.code) +
    String.fromCharCode(h.language & 0xff) +
    int16(h.version) +
    int32(h.opaque) +
    int32(h.flag) +
    int32(remark.length) +
    remark +
    int32(h.entries.length) +
    h.entries
  )
}

/** One ext entry as a byte string; empty for an empty value, which would decode to null. */
export function binaryEntry(key: string, value: string): string {
  return value === '' ? '' : binaryKey(key) + binaryValue(value)
}

/** The key's part of an entry, which a header declaration keeps ready. */
export function binaryKey(key: string): string {
  const bytes = bytesOf(key)
  return int16(bytes.length) + bytes
}

export function binaryValue(value: string): string {
  const bytes = bytesOf(value)
  return int32(bytes.length) + bytes
}

function int16(value: number): string {
  return String.fromCharCode((value >>> 8) & 0xff, value & 0xff)
}

function int32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

const ASCII = /^[\u0000-\u007f]*$/

/** UTF-8 bytes as a byte string. */
function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1')
}
