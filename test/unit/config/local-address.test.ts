import { describe, expect, test } from 'vitest'
import { chooseLocalAddress } from '../../../src/config/index.js'

const PLAIN = { bridge: false, pointToPoint: false }

/** `eth0 10.0.0.1` per line; loopback when the interface is called lo. */
function choose(list: string, facts: Record<string, Partial<typeof PLAIN>> = {}): string {
  const addresses = list
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [interfaceName, address] = line.trim().split(' ') as [string, string]
      const family = address.includes(':') ? ('IPv6' as const) : ('IPv4' as const)
      return { interfaceName, address, family, loopback: interfaceName === 'lo' }
    })
  return chooseLocalAddress(addresses, name => ({ ...PLAIN, ...facts[name] }))
}

describe('the address to advertise', () => {
  test.each([
    ['the first public IPv4', 'lo 127.0.0.1\neth0 10.0.0.1\neth1 8.8.8.8\neth2 9.9.9.9', '8.8.8.8'],
    ['else the last private one', 'eth0 10.0.0.1\neth1 172.31.0.1\neth2 192.168.1.1', '192.168.1.1'],
    ['172.32 is public', 'eth0 10.0.0.1\neth1 172.32.0.1\neth2 192.168.1.1', '172.32.0.1'],
    ['IPv4 before IPv6', 'eth0 2001:db8::1\neth0 10.0.0.1', '10.0.0.1'],
    ['the first public IPv6, in brackets', 'eth0 fe80::1\neth0 2001:db8::1\neth0 2001:db8::2', '[2001:db8::1]'],
    ['else the first IPv6', 'eth0 fe80::1\neth1 fec0::2', '[fe80::1]'],
    ['nothing but loopback', 'lo 127.0.0.1\nlo ::1', '127.0.0.1'],
    ['no sub-interface', 'eth0 10.0.0.1\neth0:1 8.8.8.8', '10.0.0.1'],
  ])('%s', (_name, list, expected) => {
    expect(choose(list)).toBe(expected)
  })

  test('neither bridges nor point-to-point links', () => {
    const list = 'eth0 10.0.0.1\ndocker0 172.17.0.1\ntun0 8.8.8.8'
    expect(choose(list, { docker0: { bridge: true }, tun0: { pointToPoint: true } })).toBe('10.0.0.1')
  })
})
