import { maxOffset, pull, send } from './frames.mjs'
import { openClient } from './load.mjs'

const SUSPEND_MS = 15_000
/** Of a stored message whose hosts are IPv4 addresses. */
const BODY_LENGTH_AT = 84

/** Sends per turn and connection: a rate at which nobody falls behind, so that times are not those of a backlog. */
const TURN_MS = 10
const PER_TURN = 5

/**
 * Sends 500 messages a second to each queue of a topic, follows their ends by long polling, a connection for each, and
 * measures how old messages are when they come.
 * @returns {Promise<{ p50Ms: number, p99Ms: number, messages: number }>}
 */
export async function endToEnd({ port, topic, queues, size, seconds }) {
  const state = { isStopped: false, isCounting: false, times: [] }
  const lanes = await Promise.all(
    Array.from({ length: queues }, (_, queue) => openLane({ port, topic, queue, size, state })),
  )
  await wait(500)
  state.isCounting = true
  await wait(seconds * 1000)
  state.isStopped = true
  for (const lane of lanes) lane.close()
  const times = state.times.sort((a, b) => a - b)
  const quantile = q => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), messages: times.length }
}

async function openLane({ port, topic, queue, size, state }) {
  const [producer, consumer] = [await openClient(port), await openClient(port)]
  let offset = Number((await consumer.ask(maxOffset(topic, queue))).fields.offset)
  const follow = async () => {
    while (!state.isStopped) {
      const { fields, body } = await consumer.ask(pull({ topic, queue, max: 32, offset, suspendMs: SUSPEND_MS }))
      const now = performance.now()
      offset = Number(fields.nextBeginOffset)
      if (state.isCounting) for (const sentAt of sendTimes(body)) state.times.push(now - sentAt)
    }
  }
  void follow()
  const message = send({ topic, queue, size })
  const turns = setInterval(() => {
    for (let i = 0; i < PER_TURN; i++) {
      message.frame.writeDoubleBE(performance.now(), message.frame.length - size)
      void producer.ask(message)
    }
  }, TURN_MS)
  return {
    close: () => {
      clearInterval(turns)
      producer.close()
      consumer.close()
    },
  }
}

function wait(ms) {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function* sendTimes(messages) {
  for (let at = 0; at < messages.length; at += messages.readInt32BE(at)) {
    yield messages.readDoubleBE(at + BODY_LENGTH_AT + 4)
  }
}
