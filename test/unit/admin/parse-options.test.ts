import { describe, expect, test } from 'vitest'
import { flag, namedOptions, needed, optional } from '../../../src/admin/option-spec.js'
import { nearest, parseOptions } from '../../../src/admin/parse-options.js'

const options = namedOptions({
  topic: needed('t', 'a topic'),
  brokerAddr: optional('b', 'a broker', { group: 'target' }),
  clusterName: optional('c', 'a cluster', { group: 'target' }),
  readQueueNums: optional('r', 'queues'),
  list: flag('l', 'as a table'),
  more: flag('m', 'more'),
  strict: { ...flag(undefined, 'ours'), exactName: true },
})

function parse(line: string): Record<string, string | true> {
  return Object.fromEntries(parseOptions(line.split(' '), options))
}

describe('options are given as to Java', () => {
  test.each([
    ['-t T -b a', { topic: 'T', brokerAddr: 'a' }],
    ['-tT -ba', { topic: 'T', brokerAddr: 'a' }],
    ['-t=T -b=a:1', { topic: 'T', brokerAddr: 'a:1' }],
    ['--topic T --brokerAddr=a', { topic: 'T', brokerAddr: 'a' }],
    ['--top T --broker a', { topic: 'T', brokerAddr: 'a' }],
    ['-topic T -clu c', { topic: 'T', clusterName: 'c' }],
    ['-t T -c x -r8', { topic: 'T', clusterName: 'x', readQueueNums: '8' }],
    ['-t T -c x -r -1', { topic: 'T', clusterName: 'x', readQueueNums: '-1' }],
    ['-lm -t T -c x', { topic: 'T', clusterName: 'x', list: true, more: true }],
    ['-lt T -c x', { topic: 'T', clusterName: 'x', list: true }],
    ['words -t T in -c x between', { topic: 'T', clusterName: 'x' }],
    ['-t A -t B -c x', { topic: 'A', clusterName: 'x' }],
    ['-t T -c x -- -q', { topic: 'T', clusterName: 'x' }],
    ['-t T -c x --strict', { topic: 'T', clusterName: 'x', strict: true }],
  ])('%s', (line, expected) => {
    expect(parse(line)).toEqual(expected)
  })
})

describe('what does not parse', () => {
  test.each([
    ['-c x', 'Missing required option: t'],
    ['-l', 'Missing required options: t, [-b a broker, -c a cluster]'],
    ['-t T', 'Missing required option: [-b a broker, -c a cluster]'],
    ['-c x -t', 'Missing argument for option: t'],
    ['-t -c x', 'Missing argument for option: t'],
    ['-t T -b a -c x', "The option 'c' was specified but an option from this group has already been selected: 'b'"],
    ['-t T -c x -q', 'Unrecognized option: -q'],
    ['-t T -c x --list=1', 'Unrecognized option: --list=1'],
    ['-t T -c x --stri', 'Unrecognized option: --stri'],
  ])('%s', (line, message) => {
    expect(() => parse(line)).toThrow(message)
  })

  test('an option that is nearly right is named', () => {
    expect(() => parse('-t T -c x --topci y')).toThrow(expect.objectContaining({ hint: 'Did you mean --topic?' }))
  })

  test('a beginning that fits two options', () => {
    const two = namedOptions({ brokerAddr: optional('b', ''), brokerName: optional('a', '') })
    expect(() => parseOptions(['--broker', 'x'], two)).toThrow(
      "Ambiguous option: '--broker'  (could be: 'brokerAddr', 'brokerName')",
    )
  })
})

test('the nearest name is not far away', () => {
  expect(nearest('topiclist', ['topicList', 'topicRoute'])).toBe('topicList')
  expect(nearest('topcRoute', ['topicList', 'topicRoute'])).toBe('topicRoute')
  expect(nearest('frobnicate', ['topicList', 'topicRoute'])).toBeUndefined()
})
