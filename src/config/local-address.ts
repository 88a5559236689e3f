import { readFileSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

/** One address of one interface. */
export interface LocalAddress {
  readonly interfaceName: string
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly loopback: boolean
}

/** What is known of an interface beside its addresses. */
export type InterfaceFacts = (interfaceName: string) => { bridge: boolean; pointToPoint: boolean }

const IFF_POINT_TO_POINT = 0x10

/**
 * The address to advertise (broker-behaviour: 1.1): interfaces that are up and neither bridge, sub-interface nor
 * point-to-point; no loopback; IPv4 before IPv6; the first public IPv4, else the last private one; the first public
 * IPv6, else the first. IPv6 comes in brackets. With nothing to choose from it is 127.0.0.1.
 */
export function chooseLocalAddress(addresses: readonly LocalAddress[], facts: InterfaceFacts): string {
  const usable = addresses.filter(({ interfaceName, loopback }) => {
    if (loopback || interfaceName.includes(':')) return false
    const { bridge, pointToPoint } = facts(interfaceName)
    return !bridge && !pointToPoint
  })
  const v4 = usable.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
  if (v4.length > 0) return v4.find(address => !isPrivateIPv4(address)) ?? v4[v4.length - 1]!
  const v6 = usable.filter(({ family }) => family === 'IPv6').map(({ address }) => address)
  if (v6.length > 0) return `[${v6.find(address => !isPrivateIPv6(address)) ?? v6[0]!}]`
  return '127.0.0.1'
}

/** {@link chooseLocalAddress} of this machine. Interfaces that are down have no addresses to list. */
export function findLocalAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([interfaceName, infos]) =>
    (infos ?? []).map(({ address, family, internal }) => ({ interfaceName, address, family, loopback: internal })),
  )
  return chooseLocalAddress(addresses, interfaceFacts)
}

function interfaceFacts(interfaceName: string): { bridge: boolean; pointToPoint: boolean } {
  const folder = `/sys/class/net/${interfaceName}`
  const bridge = statSync(`${folder}/bridge`, { throwIfNoEntry: false }) !== undefined
  let flags = 0
  try {
    flags = Number.parseInt(readFileSync(`${folder}/flags`, 'latin1'), 16)
  } catch {
    // Not Linux, or the interface went away: take it as an ordinary one.
  }
  return { bridge, pointToPoint: (flags & IFF_POINT_TO_POINT) !== 0 }
}

function isPrivateIPv4(address: string): boolean {
  const [a, b] = address.split('.').map(Number)
  return a === 10 || a === 127 || (a === 172 && b! >= 16 && b! <= 31) || (a === 192 && b === 168)
}

/** Link-local (fe80::/10), site-local (fec0::/10), loopback or any. */
function isPrivateIPv6(address: string): boolean {
  return /^(fe[89a-f][0-9a-f]:|::1?$)/i.test(address)
}
