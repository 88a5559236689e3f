import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokerSettings, loadBrokerSettings, loadNamesrvSettings } from '../../src/config/index.js'
import { readProperties } from '../../src/util/index.js'
import { goldenHost } from '../unit/config/fixtures.js'
import { goldenDir } from '../support/golden.js'

const golden = (name: string) => readFileSync(join(goldenDir('config'), name), 'utf8')

/** The `key  =  value` lines below the first heading of an mqadmin listing. */
function listing(name: string): Map<string, string> {
  const [, first = ''] = golden(name).split(/^=+[^=].*=+$/m)
  return new Map(
    first.split('\n').flatMap(line => {
      const [, key, value] = /^(\S+)\s+= {2}(.*)$/.exec(line) ?? []
      return key === undefined ? [] : [[key, value!] as const]
    }),
  )
}

/** Lines without the console prefix, whose date differs. */
const bare = (text: string) => text.trimEnd().split('\n').map(line => line.replace(/^.* INFO main - /, ''))

describe('mqbroker -p and -m', () => {
  test.each(['p', 'm'])('-%s prints the lines of Java, in its order', flag => {
    const { host, printed } = goldenHost()
    expect(loadBrokerSettings([`-${flag}`], host)).toEqual({ kind: 'exit', code: 0 })
    // Java shows 6888 here, a default that nothing listens on.
    const expected = bare(golden(`mqbroker-${flag}.txt`)).map(line => (line === 'listenPort=6888' ? 'listenPort=10911' : line))
    expect(bare(printed.out)).toEqual(expected)
    expect(printed.err).toBe('')
  })

  test('lines carry the prefix of the console log', () => {
    const { host, printed } = goldenHost()
    loadBrokerSettings(['-p'], host)
    const [first] = golden('mqbroker-p.txt').split('\n')
    expect(printed.out.split('\n')[0]).toBe(first)
  })
})

describe('the text that getBrokerConfig and getNamesrvConfig show', () => {
  test('a broker started with the recorded settings lists the recorded ones', () => {
    const recorded = listing('getBrokerConfig.txt')
    expect(recorded.size).toBe(410)
    // Worked out by the Java store at start from the sizes of its filter bits; fixed once recorded.
    const given = new Map([...recorded].filter(([key]) => key !== 'isBrokerContainer'))
    const sources = [[...given].map(([key, value]) => ({ key, value, where: 'recorded' }))]
    const { surroundings } = goldenHost().host
    const { settings, notes } = brokerSettings.load({ sources, surroundings: surroundings! })
    expect(Object.fromEntries(readProperties(settings.asProperties()))).toEqual(Object.fromEntries(recorded))
    expect(notes.filter(note => note.fields.event === 'setting-unknown')).toEqual([])
  })

  test('without settings the broker lists the same keys', () => {
    const { surroundings } = goldenHost().host
    const { settings } = brokerSettings.load({ sources: [], surroundings: surroundings! })
    // Null until set, hence not listed: known from the environment in the recording.
    const known = [...listing('getBrokerConfig.txt').keys()].filter(key => key !== 'rocketmqHome' && key !== 'namesrvAddr')
    expect([...readProperties(settings.asProperties()).keys()]).toEqual(known.sort())
  })

  test('the NameServer, started as recorded', () => {
    const recorded = listing('getNamesrvConfig.txt')
    expect(recorded.size).toBe(40)
    const { host } = goldenHost()
    const flags = ['listenPort=9976', 'bindAddress=127.0.0.2', 'configStorePath=/tmp/golden-home1/ns.conf']
    const loaded = loadNamesrvSettings(flags.flatMap(flag => ['--set', flag]), host)
    if (loaded.kind !== 'start') throw new Error('did not start')
    const text = loaded.settings.asProperties()
    expect(Object.fromEntries(readProperties(text))).toEqual(Object.fromEntries(recorded))
    const keys = [...readProperties(text).keys()]
    expect(keys).toEqual([...keys].sort())
  })
})
