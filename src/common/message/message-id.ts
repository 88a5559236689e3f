import { type Clock, MQError, writeInt64 } from '../../util/index.js'
import { decodeHostAddress, encodeHostAddress, type HostAddress, ipFromBytes, ipToBytes } from '../host-address.js'

/** Offset message id: store host (its 8 or 20 record bytes, or an address) and commit log offset, upper-case hex. */
export function createOffsetMessageId(storeHost: Buffer | HostAddress, commitLogOffset: number): string {
  const host = Buffer.isBuffer(storeHost) ? storeHost : encodeHostAddress(storeHost)
  const bytes = Buffer.alloc(host.length + 8)
  host.copy(bytes)
  writeInt64(bytes, commitLogOffset, host.length)
  return bytes.toString('hex').toUpperCase()
}

export interface OffsetMessageId {
  readonly storeHost: HostAddress
  readonly commitLogOffset: number
}

/** Reads an offset message id of 32 (IPv4) or 56 (IPv6) hex digits. Throws MQError `ERR_BAD_MESSAGE_ID`. */
export function decodeOffsetMessageId(id: string): OffsetMessageId {
  const bytes = idBytes(id)
  const v6 = bytes.length === 28
  return {
    storeHost: decodeHostAddress(bytes, 0, v6),
    commitLogOffset: Number(bytes.readBigInt64BE(v6 ? 20 : 8)),
  }
}

function idBytes(id: string): Buffer {
  if (!/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(id)) {
    throw new MQError('ERR_BAD_MESSAGE_ID', `"${id}" is no message id: 32 or 56 hex digits are needed`)
  }
  return Buffer.from(id, 'hex')
}

export interface UniqIdOptions {
  clock: Clock
  /** This machine's IP address. */
  ip: string
  pid: number
  /** Java uses the hash of a class loader: anything that differs between two programs with the same pid. */
  salt: number
}

/**
 * Makes the ids that clients put into UNIQ_KEY, laid out as Java's: IP 4 or 16, pid u16, salt i32, ms since the first
 * day of the month 00:00 local time u32, counter u16; upper-case hex.
 */
export class UniqIdGenerator {
  private readonly clock: Clock
  private readonly prefix: string
  private counter = 0
  private monthStart = 0
  private nextMonthStart = 0

  constructor(options: UniqIdOptions) {
    this.clock = options.clock
    this.prefix = ipToBytes(options.ip).toString('hex').toUpperCase() + hex(options.pid, 4) + hex(options.salt, 8)
    this.startMonth(this.clock.now())
  }

  next(): string {
    const now = this.clock.now()
    if (now >= this.nextMonthStart) this.startMonth(now)
    // a clock set back a little must not give ids that look a month old
    const sinceStart = Math.max(0, now - this.monthStart)
    const id = this.prefix + hex(sinceStart, 8) + hex(this.counter, 4)
    this.counter = (this.counter + 1) & 0xffff
    return id
  }

  private startMonth(now: number): void {
    const date = new Date(now)
    this.monthStart = new Date(date.getFullYear(), date.getMonth(), 1).getTime()
    this.nextMonthStart = new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime()
  }
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).toUpperCase().padStart(digits, '0').slice(-digits)
}

export interface UniqIdParts {
  readonly ip: string
  readonly pid: number
  /** When it was made, in ms; right for ids at most a month old, since the id names no month. */
  readonly time: number
  readonly counter: number
}

/** Takes a UNIQ_KEY apart. `now` in ms decides the month. Throws MQError `ERR_BAD_MESSAGE_ID`. */
export function decodeUniqId(id: string, now: number): UniqIdParts {
  const bytes = idBytes(id)
  const ipLength = bytes.length === 28 ? 16 : 4
  const sinceStart = bytes.readUInt32BE(ipLength + 6)
  const date = new Date(now)
  let time = new Date(date.getFullYear(), date.getMonth(), 1).getTime() + sinceStart
  if (time >= now) time = new Date(date.getFullYear(), date.getMonth() - 1, 1).getTime() + sinceStart
  return {
    ip: ipFromBytes(bytes.subarray(0, ipLength)),
    pid: bytes.readUInt16BE(ipLength),
    time,
    counter: bytes.readUInt16BE(ipLength + 10),
  }
}
