import { describe, expect, test } from 'vitest'
import {
  createOffsetMessageId,
  decodeOffsetMessageId,
  decodeUniqId,
  encodeHostAddress,
  hostAddressToString,
  ipFromBytes,
  ipToBytes,
  parseHostAddress,
  UniqIdGenerator,
} from '../../../../src/common/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

describe('offset message ids', () => {
  test('IPv4 and IPv6, there and back', () => {
    const v4 = { host: '192.168.1.10', port: 10911 }
    expect(createOffsetMessageId(v4, 4096)).toBe('C0A8010A00002A9F0000000000001000')
    expect(decodeOffsetMessageId('c0a8010a00002a9f0000000000001000')).toEqual({ storeHost: v4, commitLogOffset: 4096 })
    const v6 = { host: 'fd00:0:0:0:0:0:0:2', port: 10911 }
    const id = createOffsetMessageId(v6, 2 ** 40)
    expect(id).toHaveLength(56)
    expect(decodeOffsetMessageId(id)).toEqual({ storeHost: v6, commitLogOffset: 2 ** 40 })
    expect(createOffsetMessageId(encodeHostAddress(v6), 2 ** 40)).toBe(id)
  })

  test.each(['', 'xyz', '00'.repeat(15), '00'.repeat(20), `${'0'.repeat(31)}G`])('%j is refused', id => {
    expect(() => decodeOffsetMessageId(id)).toThrow('is no message id')
  })
})

describe('unique ids', () => {
  const at = new Date(2024, 4, 3, 10).getTime()

  test('the layout of Java', () => {
    const clock = new ManualClock(at)
    const ids = new UniqIdGenerator({ clock, ip: '10.0.0.1', pid: 0x12345, salt: 0xcafe })
    const sinceStart = (at - new Date(2024, 4, 1).getTime()).toString(16).toUpperCase().padStart(8, '0')
    expect(ids.next()).toBe(`0A00000123450000CAFE${sinceStart}0000`)
    expect(ids.next()).toBe(`0A00000123450000CAFE${sinceStart}0001`)
    expect(decodeUniqId(ids.next(), at + 5)).toEqual({ ip: '10.0.0.1', pid: 0x2345, time: at, counter: 2 })
  })

  test('a new month starts at 0, the counter wraps', async () => {
    const clock = new ManualClock(new Date(2024, 4, 31, 23, 59, 59).getTime())
    const ids = new UniqIdGenerator({ clock, ip: '::1', pid: 1, salt: 1 })
    for (let i = 0; i < 0xffff; i++) ids.next()
    expect(ids.next()).toMatch(/FFFF$/)
    await clock.advance(2000)
    const id = ids.next()
    expect(id).toHaveLength(56)
    expect(id.slice(-12)).toBe('000003E80000')
    // seen a little later than a month's end it was made in the month before
    expect(decodeUniqId(id, new Date(2024, 6, 1).getTime()).time).toBe(new Date(2024, 5, 1, 0, 0, 1).getTime())
  })
})

test('addresses', () => {
  for (const ip of ['1.2.3.4', '0:0:0:0:0:0:0:1', 'fe80:0:0:0:1:2:3:4']) expect(ipFromBytes(ipToBytes(ip))).toBe(ip)
  expect(ipToBytes('::ffff:10.0.0.1')).toEqual(Buffer.of(10, 0, 0, 1))
  expect(ipFromBytes(ipToBytes('fe80::1%eth0'))).toBe('fe80:0:0:0:0:0:0:1')
  expect(ipFromBytes(ipToBytes('1::'))).toBe('1:0:0:0:0:0:0:0')
  expect(() => ipToBytes('localhost')).toThrow('is not an IP address')
  expect(parseHostAddress('/10.0.0.1:10911')).toEqual({ host: '10.0.0.1', port: 10911 })
  expect(parseHostAddress('[::1]:1')).toEqual({ host: '::1', port: 1 })
  expect(['a', ':1', 'a:x', 'a:70000'].map(parseHostAddress)).toEqual([undefined, undefined, undefined, undefined])
  expect(
    [
      { host: '::1', port: 1 },
      { host: '1.2.3.4', port: 2 },
    ].map(hostAddressToString),
  ).toEqual(['[::1]:1', '1.2.3.4:2'])
})
