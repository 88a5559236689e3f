import { randomInt } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { isPrivateAddress } from './private-address.js'

/** Interfaces that lead nowhere outside: bridges, tunnels, containers. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|tun|tap|utun|lo)/

/**
 * The address clients call themselves by: the first public IPv4, else the last private one, else the first IPv6, else
 * loopback. Nothing connects to it: it only has to tell clients apart.
 */
export function localAddress(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const addresses = Object.entries(interfaces)
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([, list]) => list ?? [])
    .filter(address => !address.internal)
  const v4 = addresses.filter(address => address.family === 'IPv4').map(address => address.address)
  const v6 = addresses.filter(address => address.family === 'IPv6' && !address.address.startsWith('fe80'))
  return v4.find(ip => !isPrivateAddress(ip)) ?? v4.at(-1) ?? v6[0]?.address ?? '127.0.0.1'
}

/** The instance name that makes a client of this process unlike any other: `<pid>#<random>`. */
export function uniqueInstanceName(): string {
  return `${process.pid}#${Date.now()}${randomInt(1_000_000, 9_999_999)}`
}

export interface ClientIdParts {
  ip: string
  instanceName: string
  unitName?: string | undefined
  /** Pull clients end their id with `@STREAM`. */
  stream?: boolean | undefined
}

/** `<ip>@<instanceName>[@<unitName>][@STREAM]` */
export function buildClientId(parts: ClientIdParts): string {
  return [parts.ip, parts.instanceName, parts.unitName || undefined, parts.stream ? 'STREAM' : undefined]
    .filter(part => part !== undefined)
    .join('@')
}
