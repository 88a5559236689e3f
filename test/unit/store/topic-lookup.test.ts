import { expect, test } from 'vitest'
import { RecordReader } from '../../../src/store/record-reader.js'
import { TopicLookup } from '../../../src/store/topic-lookup.js'
import { TopicQueues } from '../../../src/store/topic-queues.js'

/** A lookup, and how often it asked for a topic by its name. */
function lookup(): { of: (name: string | Buffer) => TopicQueues | undefined; asked: Map<string, number> } {
  const asked = new Map<string, number>()
  const topics = new Map<string, TopicQueues>()
  const topicsByBytes = new TopicLookup(name => {
    asked.set(name, (asked.get(name) ?? 0) + 1)
    const topic = topics.get(name) ?? new TopicQueues(name)
    topics.set(name, topic)
    return topic
  })
  const reader = new RecordReader()
  const of = (name: string | Buffer): TopicQueues | undefined => {
    const bytes = Buffer.concat([Buffer.from('before'), Buffer.from(name), Buffer.from('behind')])
    reader.topicStart = 6
    reader.topicEnd = bytes.length - 6
    return topicsByBytes.of(bytes, reader)
  }
  return { of, asked }
}

test('each of many topics is found by its bytes, and asked for by its name once', () => {
  const { of, asked } = lookup()
  const names = Array.from({ length: 5000 }, (_, i) => `topic-${i}-${'x'.repeat(i % 100)}`)
  for (let round = 0; round < 3; round++) for (const name of names) expect(of(name)?.topic).toBe(name)
  expect([...asked.values()].every(count => count === 1)).toBe(true)
  expect(asked.size).toBe(names.length)
})

test('names of one hash, and names that begin alike, are kept apart', () => {
  const { of } = lookup()
  // "Aa" and "BB" have one hash, as in Java
  const names = ['AaAa', 'BBBB', 'AaBB', 'BBAa', 'Aa', 'BB', 'A', 'Ab', '名前', '名']
  for (let round = 0; round < 2; round++) for (const name of names) expect(of(name)?.topic).toBe(name)
})

test('what cannot be a topic is none', () => {
  const { of, asked } = lookup()
  for (const name of ['', '.', '..', 'a/b', 'a\nb', 'a\u0000']) expect([name, of(name)]).toEqual([name, undefined])
  expect(asked.size).toBe(0)
  // bytes that are no text are told apart by what they read as
  expect(of(Buffer.of(0x61, 0xff))?.topic).toBe('a\ufffd')
  expect(of(Buffer.of(0x61, 0xfe))).toBe(of('a\ufffd'))
})
