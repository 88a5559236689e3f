import { type JsonValue, readArray, readNumber, readObject, readString } from '../../common/index.js'
import { front, millisText, secondsText } from '../format.js'
import type { Output } from '../output.js'

interface Check {
  askedAt: number
  client: string | undefined
  answer: string | undefined
  answeredAt: number
  answeredBy: string | undefined
  remark: string | undefined
}

interface Transaction {
  transactionId: string
  msgId: string
  producerGroup: string
  topic: string
  queueId: number
  tags: string | undefined
  keys: string | undefined
  bodySize: number
  bornTimestamp: number
  bornHost: string
  age: number
  checkTimes: number
  checks: Check[]
}

/** What a broker answers: up to as many as were asked for, and how many there are. */
export interface TransactionList {
  brokerName: string
  total: number
  transactions: Transaction[]
}

export function transactionListFromJson(json: JsonValue): TransactionList {
  const object = readObject(json)
  return {
    brokerName: readString(object.brokerName) ?? '',
    total: readNumber(object.total, 0),
    transactions: readArray(object.transactions).map(transactionFromJson),
  }
}

function transactionFromJson(json: JsonValue): Transaction {
  const object = readObject(json)
  return {
    transactionId: readString(object.transactionId) ?? '',
    msgId: readString(object.msgId) ?? '',
    producerGroup: readString(object.producerGroup) ?? '',
    topic: readString(object.topic) ?? '',
    queueId: readNumber(object.queueId, -1),
    tags: readString(object.tags),
    keys: readString(object.keys),
    bodySize: readNumber(object.bodySize, 0),
    bornTimestamp: readNumber(object.bornTimestamp, 0),
    bornHost: readString(object.bornHost) ?? '',
    age: readNumber(object.age, 0),
    checkTimes: readNumber(object.checkTimes, 0),
    checks: readArray(object.checks).map(checkFromJson),
  }
}

function checkFromJson(json: JsonValue): Check {
  const object = readObject(json)
  return {
    askedAt: readNumber(object.askedAt, 0),
    client: readString(object.client),
    answer: readString(object.answer),
    answeredAt: readNumber(object.answeredAt, 0),
    answeredBy: readString(object.answeredBy),
    remark: readString(object.remark),
  }
}

const ROW = '%-34s  %-24s  %-24s  %-16s  %-10s  %-6s  %-28s  %s'

export function printTransactions(out: Output, lists: readonly TransactionList[]): void {
  out.row(ROW, '#Transaction Id', '#Topic', '#Producer Group', '#Broker', '#Age', '#Checks', '#Last Asked', '#Answer')
  for (const { brokerName, transactions } of lists) {
    for (const one of transactions) {
      const last = one.checks.at(-1)
      out.row(
        ROW,
        one.transactionId,
        front(one.topic, 24),
        front(one.producerGroup, 24),
        front(brokerName, 16),
        ageText(one.age),
        one.checkTimes,
        last === undefined ? '-' : (last.client ?? 'nobody online'),
        last?.answer ?? '-',
      )
    }
  }
  for (const { brokerName, total, transactions } of lists) {
    if (total > transactions.length)
      out.line(`${brokerName} has ${total}, the oldest ${transactions.length} are shown; -m shows more.`)
  }
}

const FIELD = '%-16s %s'

export function printOne(out: Output, one: Transaction): void {
  const { bornTimestamp, age, topic, queueId } = one
  out.row(FIELD, 'Transaction Id:', one.transactionId)
  out.row(FIELD, 'Message Id:', one.msgId)
  out.row(FIELD, 'Topic:', `${topic}, queue ${queueId}`)
  out.row(FIELD, 'Producer Group:', one.producerGroup)
  out.row(FIELD, 'Keys:', one.keys ?? '-')
  out.row(FIELD, 'Tags:', one.tags ?? '-')
  out.row(FIELD, 'Body:', `${one.bodySize} bytes`)
  out.row(FIELD, 'Born:', `${secondsText(bornTimestamp)} at ${one.bornHost}, ${ageText(age)} ago`)
  out.row(FIELD, 'Checks:', one.checkTimes)
  for (const check of one.checks) out.line(`  ${checkText(check)}`)
  out.line()
}

function checkText({ askedAt, client, answer, answeredAt, answeredBy, remark }: Check): string {
  const note = remark === undefined ? '' : ` (${remark})`
  const answered =
    answer === undefined ? 'no answer' : `${answer} at ${millisText(answeredAt)} from ${answeredBy}${note}`
  if (client !== undefined) return `${millisText(askedAt)} asked ${client}: ${answered}`
  return answer === undefined ? `${millisText(askedAt)} nobody of the group was online` : `not asked: ${answered}`
}

/** The two largest units: `3d 4h`, `2m 5s`, `0s`. */
function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  if (first < 0) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => value + unit)
    .join(' ')
}
