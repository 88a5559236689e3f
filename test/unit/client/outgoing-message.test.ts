import { describe, expect, it } from 'vitest'
import { checkGroup, checkTopic, type OutgoingMessage, toMessage } from '../../../src/client/outgoing-message.js'

const MAX = 100

function message(values: Partial<OutgoingMessage>): OutgoingMessage {
  return { topic: 'T', body: 'x', ...values }
}

describe('what is refused before anything is sent', () => {
  const cases: [string, OutgoingMessage, string][] = [
    ['a blank topic', message({ topic: ' ' }), 'The specified topic is blank'],
    ['a long topic', message({ topic: 'a'.repeat(128) }), 'The specified topic is longer than topic max length 127.'],
    [
      'other characters in a topic',
      message({ topic: 'a b' }),
      'The specified topic[a b] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$',
    ],
    [
      'a topic of the system',
      message({ topic: 'SCHEDULE_TOPIC_XXXX' }),
      'Sending message to topic[SCHEDULE_TOPIC_XXXX] is forbidden.',
    ],
    ['an empty body', message({ body: '' }), 'the message body length is zero'],
    ['a long body', message({ body: 'x'.repeat(MAX + 1) }), 'the message body size over max value, MAX: 100'],
    [
      'a property of the system',
      message({ properties: { UNIQ_KEY: 'x' } }),
      'The Property<UNIQ_KEY> is used by system, input another please',
    ],
    [
      'a blank property',
      message({ properties: { color: ' ' } }),
      'The name or value of property can not be null or blank string!',
    ],
  ]
  it.each(['device-1', '%LMQ%', '%LMQ%a,b', ''])('the light queue name "%s"', name => {
    const text = `the light queue [${name}] is misnamed: its name must begin with %LMQ% and contain no ,`
    expect(() => toMessage(message({ lightQueues: ['%LMQ%a', name] }), MAX)).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENT_ARGUMENT', message: text }),
    )
  })

  it('a light queue that could not have a folder', () => {
    const text = 'INNER_MULTI_DISPATCH %LMQ%a/b can not contains / character'
    expect(() => toMessage(message({ lightQueues: ['%LMQ%a/b'] }), MAX)).toThrow(text)
  })

  it.each(cases)('%s', (_, outgoing, text) => {
    expect(() => toMessage(outgoing, MAX)).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENT_ARGUMENT', message: text }),
    )
  })

  it('a separator inside a property, which would cut it in two', () => {
    expect(() => toMessage(message({ properties: { color: 'red\u0002TAGS\u0001forged' } }), MAX)).toThrow(/U\+0001/)
    expect(() => toMessage(message({ tags: 'a\u0001b' }), MAX)).toThrow(/TAGS/)
  })

  it('no body at all', () => {
    expect(() => toMessage({ topic: 'T' } as OutgoingMessage, MAX)).toThrow('the message body is null')
  })

  it('bad groups', () => {
    expect(() => checkGroup('')).toThrow('the specified group is blank')
    expect(() => checkGroup('a'.repeat(256))).toThrow('longer than group max length: 255.')
    expect(() => checkGroup('a/b')).toThrow('the specified group[a/b] contains illegal characters')
  })
})

it('accepts topics of 127 characters and retry topics', () => {
  expect(() => checkTopic('a'.repeat(127))).not.toThrow()
  expect(() => checkTopic('%RETRY%group')).not.toThrow()
})

it('puts what has a meaning into properties', () => {
  const { properties, body, flag } = toMessage(
    message({
      body: 'é',
      tags: 'A',
      keys: ['k1', 'k2'],
      properties: { color: 'red' },
      delayLevel: 3,
      waitStoreOk: false,
      flag: 7,
    }),
    MAX,
  )
  expect(body).toEqual(Buffer.from('é'))
  expect(flag).toBe(7)
  expect(Object.fromEntries(properties)).toEqual({ color: 'red', TAGS: 'A', KEYS: 'k1 k2', DELAY: '3', WAIT: 'false' })
})

it('sends timer messages by delay or by time', () => {
  expect(toMessage(message({ delayMs: 1500 }), MAX).properties.get('TIMER_DELAY_MS')).toBe('1500')
  expect(toMessage(message({ deliverAt: 1_700_000_000_000 }), MAX).properties.get('TIMER_DELIVER_MS')).toBe(
    '1700000000000',
  )
})
