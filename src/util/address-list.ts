/** `a:9876;b:9876` as a list, without blanks and repetitions. */
export function splitAddresses(text: string): string[] {
  return [...new Set(text.split(';').map(address => address.trim()))].filter(address => address !== '')
}

/** `host:port`; the host may be a name, an IPv4 or a bracketed IPv6 address. */
export function isHostAndPort(address: string): boolean {
  const [, port] = /^(?:\[[0-9a-fA-F:.%\w]+\]|[^\s:;[\]]+):(\d{1,5})$/.exec(address.trim()) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}
