import { isIPv4, isIPv6 } from 'node:net'
import { MQError } from '../util/index.js'

/** An IP address in text (no host names) and a port. */
export interface HostAddress {
  readonly host: string
  readonly port: number
}

/** `10.0.0.1:10911`, `[fe80:0:0:0:0:0:0:1]:10911`. */
export function hostAddressToString(address: HostAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Reads `host:port` and `[v6]:port`, with or without the leading `/` of Java; undefined when it is neither. */
export function parseHostAddress(text: string): HostAddress | undefined {
  const colon = text.lastIndexOf(':')
  if (colon <= 0) return undefined
  const host = text.slice(text.startsWith('/') ? 1 : 0, colon).replace(/^\[|\]$/g, '')
  const port = Number(text.slice(colon + 1))
  return host.length > 0 && Number.isInteger(port) && port >= 0 && port <= 65_535 ? { host, port } : undefined
}

/** The 4 or 16 bytes of an IP address; an IPv4 address mapped into IPv6 gives 4. */
export function ipToBytes(host: string): Buffer {
  const zone = host.indexOf('%')
  const address = zone < 0 ? host : host.slice(0, zone)
  if (isIPv4(address)) return ipv4ToBytes(address)
  if (!isIPv6(address))
    throw new MQError('ERR_NOT_AN_IP', `"${host}" is not an IP address; give the address, not a name`)
  const bytes = ipv6ToBytes(address)
  const mapped = bytes.readUInt32BE(0) === 0 && bytes.readUInt32BE(4) === 0 && bytes.readUInt32BE(8) === 0xffff
  return mapped ? bytes.subarray(12) : bytes
}

function ipv4ToBytes(address: string): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  let part = 0
  let value = 0
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - 0x30
    if (digit >= 0) value = value * 10 + digit
    else {
      bytes[part++] = value
      value = 0
    }
  }
  bytes[part] = value
  return bytes
}

function ipv6ToBytes(address: string): Buffer {
  const groups = (text: string): number[] =>
    text === ''
      ? []
      : text.split(':').flatMap(part => {
          if (!part.includes('.')) return [Number.parseInt(part, 16)]
          const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
          return [(a << 8) | b, (c << 8) | d]
        })
  const [head = '', tail] = address.split('::')
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const bytes = Buffer.alloc(16)
  first.forEach((group, i) => {
    bytes.writeUInt16BE(group, i * 2)
  })
  last.forEach((group, i) => {
    bytes.writeUInt16BE(group, 16 - (last.length - i) * 2)
  })
  return bytes
}

/** The text of 4 or 16 address bytes, IPv6 in Java's form without `::`. */
export function ipFromBytes(bytes: Buffer): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16))
  return groups.join(':')
}

/** Address and port as records and message ids hold them: 4 or 16 bytes, then i32 port. */
export function encodeHostAddress(address: HostAddress): Buffer {
  const ip = ipToBytes(address.host)
  const bytes = Buffer.allocUnsafe(ip.length + 4)
  ip.copy(bytes)
  bytes.writeInt32BE(address.port, ip.length)
  return bytes
}

/** Reads what {@link encodeHostAddress} writes: 8 bytes at `at`, or 20 when `v6`. */
export function decodeHostAddress(bytes: Buffer, at: number, v6: boolean): HostAddress {
  const end = at + (v6 ? 16 : 4)
  return { host: ipFromBytes(bytes.subarray(at, end)), port: bytes.readInt32BE(end) }
}
