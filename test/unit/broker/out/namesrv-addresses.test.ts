import { describe, expect, it, onTestFinished } from 'vitest'
import { NamesrvAddresses } from '../../../../src/broker/out/namesrv-addresses.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { type Logger, MQError, silentLogger } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

/** Name and address servers that answer as a test says. */
async function addresses(overrides: Partial<BrokerSettings>) {
  const { settings, clock } = brokerParts(overrides)
  const hosts = new Map<string, string[]>()
  const pages = new Map<string, string>()
  const told: string[] = []
  const logged: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: fields => void logged.push(fields.event) }
  const looker = new NamesrvAddresses({
    settings,
    clock,
    logger,
    lookUpHost: async host => hosts.get(host) ?? Promise.reject(new Error(`ENOTFOUND ${host}`)),
    httpGet: async url => pages.get(url) ?? Promise.reject(new MQError('ERR_HTTP', `GET ${url} failed`)),
    onAddresses: async list => void told.push(list.join(';')),
  })
  onTestFinished(() => looker.stop())
  const take = () => told.splice(0)
  return {
    looker,
    hosts,
    pages,
    clock,
    logged,
    take,
    change: (to: Partial<BrokerSettings>) => Object.assign(settings, to),
  }
}

describe('the NameServers of a broker', () => {
  it('are those of namesrvAddr, taken anew every updateNameServerAddrPeriod', async () => {
    const { looker, clock, take, change } = await addresses({
      namesrvAddr: 'a:1; b:2;a:1;',
      updateNameServerAddrPeriod: 60_000,
    })
    await looker.start()
    expect(take()).toEqual(['a:1;b:2'])
    change({ namesrvAddr: 'c:3' })
    await clock.advance(9999)
    expect(take()).toEqual([])
    await clock.advance(1)
    expect(take()).toEqual(['c:3'])
    await clock.advance(59_999)
    expect(take()).toEqual([])
    await clock.advance(1)
    expect(take()).toEqual(['c:3'])
  })

  it('are all addresses of the names with fetchNameSrvAddrByDnsLookup, and stay while the lookup fails', async () => {
    const { looker, hosts, clock, logged, take } = await addresses({
      namesrvAddr: 'ns.example:9876;[::1]:9877',
      fetchNameSrvAddrByDnsLookup: true,
    })
    hosts.set('ns.example', ['10.0.0.1', 'fd00::2']).set('::1', ['::1'])
    await looker.start()
    expect(take()).toEqual(['10.0.0.1:9876;[fd00::2]:9876;[::1]:9877'])
    hosts.set('ns.example', ['10.0.0.3'])
    await clock.advance(10_000)
    expect(take()).toEqual(['10.0.0.3:9876;[::1]:9877'])
    hosts.delete('ns.example')
    await clock.advance(120_000)
    expect(take()).toEqual(['10.0.0.3:9876;[::1]:9877'])
    expect(logged).toEqual(['namesrv-lookup-failed'])
  })

  it('come from the address server when there is no namesrvAddr', async () => {
    const { looker, pages, clock, logged, take, change } = await addresses({
      fetchNamesrvAddrByAddressServer: true,
      rmqAddressServerDomain: 'mq.example',
      fetchNamesrvAddrInterval: 5000,
    })
    await looker.start()
    expect([take(), logged]).toEqual([[], ['address-server-failed']])
    pages.set('http://mq.example:8080/rocketmq/nsaddr', '\n a:1;b:2 \r\nmore\n')
    await clock.advance(10_000)
    expect(take()).toEqual(['a:1;b:2'])
    pages.set('http://mq.example:8080/rocketmq/nsaddr', '')
    await clock.advance(5000)
    expect(take()).toEqual([])
    change({ rmqAddressServerDomain: '10.0.0.9:80', rmqAddressServerSubGroup: 'other' })
    pages.set('http://10.0.0.9:80/rocketmq/other', 'c:3')
    await clock.advance(5000)
    expect(take()).toEqual(['c:3'])
    change({ namesrvAddr: 'd:4' })
    await looker.refresh()
    await clock.advance(5000)
    expect(take()).toEqual(['d:4'])
  })

  it('are none without either', async () => {
    const { looker, take } = await addresses({ namesrvAddr: '' })
    await looker.start()
    expect(take()).toEqual([''])
  })
})
