import { describe, expect, it } from 'vitest'
import { KeptTexts, prettyMembers, prettyTables, prettyValue } from '../../../src/broker/config-json.js'
import { stringifyFastJson } from '../../../src/common/index.js'
import { ManualClock } from '../../support/manual-clock.js'

const table = new Map<string, object>([
  ['b', { z: 1, a: [1, 2], text: 'one\nline' }],
  ['a"b', { inner: new Map([['k', 'v']]) }],
  ['empty', {}],
])

describe('pretty tables in pieces', () => {
  it.each([
    ['full', table],
    ['empty', new Map<string, object>()],
  ])('are laid out as the whole would be: %s', (_what, members) => {
    const version = { counter: 1, stateVersion: 0 }
    const pieces = prettyTables([
      ['dataVersion', prettyValue(version)],
      ['table', prettyMembers(members, 1)],
    ])
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1))
    // keys of the table stand in its own order, those of objects in that of the alphabet
    const whole = stringifyFastJson({ dataVersion: version, table: new Map(sorted) }, { pretty: true })
    expect(Object.entries(JSON.parse([...pieces].join('')))).toEqual(Object.entries(JSON.parse(whole)))
    const inOrder = prettyTables([
      ['dataVersion', prettyValue(version)],
      ['table', prettyMembers(new Map(sorted), 1)],
    ])
    expect([...inOrder].join('')).toBe(whole)
  })
})

describe('KeptTexts', () => {
  it('puts a value into words once, until the table has not been written for 10 s', async () => {
    const clock = new ManualClock()
    const texts = new KeptTexts(clock)
    const value = { counted: 0 }
    const write = (): string => {
      texts.keepOn()
      return [...prettyMembers([['key', value]], 0, texts.textOf)].join('')
    }
    expect(write()).toBe('{\n\t"key":{\n\t\t"counted":0\n\t}\n}')
    // a value is never changed: that it goes unseen shows that it was not looked at
    value.counted = 1
    await clock.advance(9999)
    expect(write()).toContain('"counted":0')
    await clock.advance(9999)
    expect(write()).toContain('"counted":0')
    await clock.advance(10_000)
    expect(write()).toContain('"counted":1')
  })

  it('shows a value that takes the place of another', () => {
    const texts = new KeptTexts(new ManualClock())
    const write = (value: object): string => [...prettyMembers([['key', value]], 0, texts.textOf)].join('')
    expect(write({ a: 1 })).toContain('"a":1')
    expect(write({ a: 2 })).toContain('"a":2')
  })
})
