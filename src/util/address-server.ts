import type { HttpGet } from './http-get.js'

/** An HTTP server that tells the NameServers, as Java's clients and brokers ask it. */
export interface AddressServer {
  /** `host` (then port 8080) or `host:port`. */
  readonly domain: string
  readonly subGroup: string
  /** Asked for the NameServers of this unit. */
  readonly unitName?: string | undefined
}

export const DEFAULT_ADDRESS_SERVER: AddressServer = { domain: 'jmenv.tbsite.net', subGroup: 'nsaddr' }

const TIMEOUT_MS = 3000
const DEFAULT_PORT = 8080

/** What it says now: `host:port;host:port`, possibly empty. @throws MQError ERR_HTTP */
export async function askAddressServer(server: AddressServer, get: HttpGet): Promise<string> {
  const { domain, subGroup, unitName = '' } = server
  const host = domain.includes(':') ? domain : `${domain}:${DEFAULT_PORT}`
  const unit = unitName.trim() === '' ? '' : `-${unitName}?nofix=1`
  const answer = await get(`http://${host}/rocketmq/${subGroup}${unit}`, TIMEOUT_MS)
  return answer.trim().split(/[\r\n]/, 1)[0]!
}
