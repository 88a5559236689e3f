import { lookup } from 'node:dns/promises'

/** The addresses of a host, as the system resolves them; an address is its own. Rejects when there is none. */
export type HostLookup = (host: string) => Promise<string[]>

export const lookUpHost: HostLookup = async host => {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => address)
}
