/**
 * What of a store is more than messages in queues: delayed and timed messages, half messages, and messages that come
 * back until they are dead letters. Each turn leaves some behind that the next broker has to bring to their end.
 */

/** Of both brokers. Messages that come back wait for levels 3 and up; the last one is beyond any turn. */
export const messageDelayLevel = '1s 1s 1s 2s 2s 1h'
const SOON = 4
const MUCH_LATER = 6
const DELAYED = 'SwapDelayed'
const TRANSACTIONS = 'SwapTransactions'
const FAILING = 'SwapFailing'
const SCHEDULE = 'SCHEDULE_TOPIC_XXXX'
const HALF = 'RMQ_SYS_TRANS_HALF_TOPIC'
const PRODUCERS = 'SwapPayers'
const CONSUMERS = 'SwapFailers'
const RETRY = `%RETRY%${CONSUMERS}`
const DEAD = `%DLQ%${CONSUMERS}`
const PATIENCE_MS = 40_000

export class Special {
  /** `topic body` of messages that must be there in the end. */
  due = new Set()
  /** The same of messages that must not be there, whatever happens. */
  never = new Set()
  /** Undecided half messages: body to what a check answers. */
  decisions = new Map()
  /** Of those, what may be there twice: a broker that was killed does not know what it delivered last. */
  twice = new Set()
  counts = 0

  constructor({ PushConsumer, TransactionProducer }) {
    this.client = { PushConsumer, TransactionProducer }
  }

  /** Takes part in a turn: what the last one left comes to its end. */
  async begin({ admin, namesrvAddr }) {
    this.admin = admin
    this.payer = new this.client.TransactionProducer({
      namesrvAddr,
      group: PRODUCERS,
      execute: (_message, decision) => decision,
      check: message => this.decisions.get(message.body.toString()) ?? 'UNKNOWN',
    })
    this.failer = new this.client.PushConsumer({
      namesrvAddr,
      group: CONSUMERS,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      maxReconsumeTimes: 1,
      onMessages: () => 'RECONSUME_LATER',
    })
    await this.payer.start()
    // a check finds the members of a group by their heartbeats, and those go to brokers of topics sent to
    await this.decide('COMMIT', 'hello')
    await this.failer.subscribe(FAILING)
    await this.failer.start()
    await this.settled()
  }

  /** Leaves something for the next broker, and parts of it half done. */
  async end() {
    for (let i = 0; i < 3; i++) await this.send(DELAYED, { delayLevel: SOON })
    for (let i = 0; i < 2; i++) await this.send(DELAYED, { delayMs: 3000 })
    await this.sendLater({ delayLevel: MUCH_LATER }, SCHEDULE)
    for (let i = 0; i < 2; i++) await this.decide('COMMIT', 'committed')
    for (let i = 0; i < 2; i++) await this.decide('ROLLBACK', 'rolled back')
    await this.decide('UNKNOWN', 'committed later', 'COMMIT')
    await this.decide('UNKNOWN', 'rolled back later', 'ROLLBACK')
    for (let i = 0; i < 3; i++) {
      const body = await this.send(FAILING, {})
      for (const topic of [RETRY, DEAD]) this.due.add(`${topic} ${body}`)
    }
  }

  /** The broker was killed. */
  killed() {
    for (const place of this.due) this.twice.add(place)
  }

  async close() {
    await this.payer?.stop()
    await this.failer?.stop()
    this.payer = this.failer = undefined
  }

  async send(topic, more) {
    const body = `${topic} ${this.counts++}`
    const result = await this.payer.send({ topic, body, tags: 'special', keys: `special${this.counts}`, ...more })
    if (result.status !== 'SEND_OK') throw new Error(`a send to ${topic} was answered ${result.status}`)
    this.due.add(`${topic} ${body}`)
    return body
  }

  /** A message that no turn is long enough to deliver. */
  async sendLater(more, waitsIn) {
    const body = await this.send(DELAYED, more)
    this.due.delete(`${DELAYED} ${body}`)
    this.never.add(`${DELAYED} ${body}`)
    this.due.add(`${waitsIn} ${body}`)
  }

  async decide(now, name, later) {
    const body = `${name} ${this.counts++}`
    this.decisions.set(body, later)
    const result = await this.payer.sendInTransaction({ topic: TRANSACTIONS, body, tags: 'special' }, now)
    if (result.status !== 'SEND_OK') throw new Error(`a half message was answered ${result.status}`)
    const isCommitted = (later ?? now) === 'COMMIT'
    const into = isCommitted ? this.due : this.never
    into.add(`${TRANSACTIONS} ${body}`)
    // the Java broker may ask again before it has taken note of an answer
    if (later !== undefined) this.twice.add(`${TRANSACTIONS} ${body}`)
    this.due.add(`${HALF} ${body}`)
  }

  /** Waits until everything is where it belongs, each message once. */
  async settled() {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const found = await this.readAll()
      for (const place of this.never) if (found.has(place)) throw new Error(`${place} was delivered`)
      const missing = [...this.due].filter(place => !found.has(place))
      if (missing.length === 0) return this.checkSingle(found)
      if (Date.now() > deadline) throw new Error(`not there after ${PATIENCE_MS} ms: ${missing.slice(0, 8).join(', ')}`)
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }

  checkSingle(found) {
    for (const place of this.due) {
      const count = found.get(place)
      // half messages are written again for each check
      if (count !== 1 && !place.startsWith(HALF) && !this.twice.has(place))
        throw new Error(`${place} is there ${count} times`)
    }
  }

  /** How often each message stands in each topic. */
  async readAll() {
    const found = new Map()
    for (const topic of [DELAYED, TRANSACTIONS, FAILING, RETRY, DEAD, HALF]) {
      for (let queueId = 0; queueId < 4; queueId++) await this.readQueue(topic, queueId, found)
    }
    await this.readQueue(SCHEDULE, MUCH_LATER - 1, found)
    return found
  }

  async readQueue(topic, queueId, found) {
    const { admin } = this
    const queue = { topic, brokerName: 'interop-a', queueId }
    const max = await admin.maxOffset(queue).catch(() => 0)
    if (max === 0) return
    for (let offset = await admin.minOffset(queue); offset < max; ) {
      const pulled = await admin.pull({ queue, offset, maxNums: 32 })
      if (pulled.status !== 'FOUND') throw new Error(`${topic}-${queueId} at ${offset} of ${max}: ${pulled.status}`)
      for (const message of pulled.messages) {
        const place = `${topic} ${message.body.toString()}`
        found.set(place, (found.get(place) ?? 0) + 1)
        offset = message.queueOffset + 1
        if (message.properties.get('TAGS') !== 'special') throw new Error(`${place} has lost its tag`)
      }
    }
  }
}
