import { expect, test } from 'vitest'
import { defineHeader, opt, RemotingCommand, req, t } from '../../../src/remoting/index.js'

const Sample = defineHeader('SampleHeader', {
  topic: req(t.string, { key: 'b', resource: 'TOPIC' }),
  queueId: req(t.int),
  offset: opt(t.long),
  order: opt(t.bool),
})

test('decodes types, optional fields and short keys', () => {
  expect(Sample.decode({ b: 'T', queueId: '-1', offset: '9007199254740991', order: 'TRUE', unknown: 'x' })).toEqual({
    topic: 'T',
    queueId: -1,
    offset: 9007199254740991,
    order: true,
  })
  expect(Sample.decode({ b: 'T', queueId: '0' })).toMatchObject({ offset: undefined, order: undefined })
  expect(Sample.decode({ b: 'T', queueId: '0', order: 'yes' }).order).toBe(false)
})

test('Long.MAX_VALUE is a long', () => {
  expect(Sample.decode({ b: 'T', queueId: '0', offset: '9223372036854775807' }).offset).toBe(2 ** 63)
})

test.each([
  [{ b: 'T' }, 'the field queueId of SampleHeader is missing'],
  [undefined, 'the field b of SampleHeader is missing'],
  [{ b: 'T', queueId: 'abc' }, 'the field queueId of SampleHeader is "abc", not a whole number of 32 bits'],
  [{ b: 'T', queueId: '' }, 'not a whole number'],
  [{ b: 'T', queueId: '1e3x' }, 'not a whole number'],
  [{ b: 'T', queueId: '2147483648' }, 'not a whole number of 32 bits'],
  [{ b: 'T', queueId: '1.5' }, 'not a whole number'],
])('refuses %j', (ext, text) => {
  expect(() => Sample.decode(ext)).toThrow(text)
})

test('encodes in declaration order and leaves out what is undefined', () => {
  const value = { topic: 'a"b', queueId: 2, order: false }
  expect(Sample.toJson(value)).toBe('"b":"a\\"b","queueId":"2","order":"false"')
  expect(Sample.encode(value)).toEqual({ b: 'a"b', queueId: '2', order: 'false' })
  expect(Sample.resources({ topic: 'T', queueId: 0 })).toEqual([{ kind: 'TOPIC', name: 'T' }])
})

test('fields that stand in the declared order are read from the JSON text, others from the map, with the same result', () => {
  const command = (json: string): RemotingCommand => Object.assign(new RemotingCommand(), { extJson: json })
  const value = { topic: 'T"\u0001ü', queueId: 3, offset: 7, order: undefined }
  const escaped = JSON.stringify(value.topic)
  const texts = [
    `{"b":${escaped},"queueId":"3","offset":"7"}`,
    `{"queueId":"3","b":${escaped},"offset":"7"}`,
    `{"b":${escaped},"queueId":"3","offset":"7","unknown":"x"}`,
    `{"b":${escaped},"queueId":3,"offset":7}`,
  ]
  for (const text of texts) expect(Sample.decodeFrom(command(text))).toEqual(value)
  expect(() => Sample.decodeFrom(command('{"b":"T"}'))).toThrow('queueId of SampleHeader is missing')
  expect(() => Sample.decodeFrom(command('{"b":"T","queueId":"x"}'))).toThrow('is "x", not a whole number')
  expect(() => Sample.decodeFrom(command('{"b":"T,'))).toThrow('not JSON')
})
