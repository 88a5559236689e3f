import { describe, expect, it } from 'vitest'
import { selectByHash } from '../../../src/client/index.js'
import { LatencyFaults } from '../../../src/client/producer/latency-faults.js'
import { QueueRotation } from '../../../src/client/producer/queue-rotation.js'
import { decodeRecallHandle } from '../../../src/client/producer/recall-handle.js'
import { createReplyMessage } from '../../../src/client/producer/reply-message.js'
import { javaHash } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { messageAt } from './message-at.js'

const queues = ['a', 'a', 'b', 'b'].map((brokerName, i) => ({ brokerName, queueId: i % 2, topic: 'T' }))

describe('QueueRotation', () => {
  it('takes every queue in turn', () => {
    const rotation = new QueueRotation()
    const seen = new Set(Array.from({ length: 4 }, () => rotation.next(queues)))
    expect(seen.size).toBe(4)
  })

  it('avoids the broker that failed while there is another', () => {
    const rotation = new QueueRotation()
    for (let i = 0; i < 20; i++) expect(rotation.next(queues, 'a').brokerName).toBe('b')
    expect(rotation.next(queues.slice(0, 2), 'a').brokerName).toBe('a')
  })

  it('leaves out a slow broker for as long as its latency says', async () => {
    const clock = new ManualClock()
    const faults = new LatencyFaults(clock)
    const rotation = new QueueRotation(faults)
    faults.record('a', 600, false)
    for (let i = 0; i < 20; i++) expect(rotation.next(queues).brokerName).toBe('b')
    await clock.advance(2000)
    expect(Array.from({ length: 8 }, () => rotation.next(queues).brokerName)).toContain('a')
  })

  it('takes any queue when all brokers are slow', () => {
    const faults = new LatencyFaults(new ManualClock())
    for (const brokerName of ['a', 'b']) faults.record(brokerName, 0, true)
    expect(queues).toContain(new QueueRotation(faults).next(queues))
  })
})

it('isolates a failed broker for 10 s and forgives a fast answer at once', async () => {
  const clock = new ManualClock()
  const faults = new LatencyFaults(clock)
  faults.record('a', 0, true)
  await clock.advance(9_999)
  expect(faults.isAvailable('a')).toBe(false)
  await clock.advance(1)
  expect(faults.isAvailable('a')).toBe(true)
  faults.record('a', 0, true)
  faults.record('a', 5, false)
  expect(faults.isAvailable('a')).toBe(true)
})

it('selects the queue that Java selects for a key, also when its hash is negative', () => {
  for (const key of ['order-1', 'polygenelubricants', 'zzzzzzzzzz', '']) {
    const index = Math.abs(javaHash(key) % queues.length)
    expect(selectByHash(key)(queues, { topic: 'T', flag: 0, body: Buffer.alloc(0), properties: new Map() })).toBe(
      queues[index],
    )
  }
})

describe('recall handles', () => {
  it('are read as the broker wrote them', () => {
    const handle =
      'djEgR29sZERlbGF5IGdvbGRlbi1hIDE3OTUyNTUyMDAwMDEgRkQwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDIzRERENEUwRTJGMkE2OTIzOThENjAwMTA='
    expect(decodeRecallHandle(handle)).toEqual({
      topic: 'GoldDelay',
      brokerName: 'golden-a',
      timestamp: 1795255200001,
      msgId: 'FD0000000000000000000000000000023DDD4E0E2F2A692398D60010',
    })
  })

  it.each([
    '',
    'xx',
    Buffer.from('v2 T b 1 id').toString('base64url'),
    Buffer.from('v1 T b now id').toString('base64url'),
  ])('%j is refused', handle => {
    expect(() => decodeRecallHandle(handle)).toThrow('recall handle is invalid')
  })
})

describe('reply messages', () => {
  it('go to the reply topic of the cluster with what the requester is found by', () => {
    const request = messageAt(1)
    request.properties = new Map([
      ['CLUSTER', 'C1'],
      ['CORRELATION_ID', 'id'],
      ['REPLY_TO_CLIENT', 'client'],
      ['TTL', '3000'],
      ['TAGS', 'x'],
    ])
    const reply = createReplyMessage(request, 'yes')
    expect(reply.topic).toBe('C1_REPLY_TOPIC')
    expect(Object.fromEntries(reply.properties)).toEqual({
      MSG_TYPE: 'reply',
      CORRELATION_ID: 'id',
      REPLY_TO_CLIENT: 'client',
      TTL: '3000',
      WAIT: 'true',
    })
  })

  it('cannot be made for an ordinary message', () => {
    expect(() => createReplyMessage(messageAt(1), 'x')).toThrow(expect.objectContaining({ responseCode: 10007 }))
  })
})
