import { CometRequestCode, parseFastJson, RequestCode } from '../../common/index.js'
import { DecideTransactionRequestHeader, ListTransactionsRequestHeader } from '../../remoting/index.js'
import { targets } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { optional } from '../option-spec.js'
import { UsageError } from '../parse-options.js'
import { wholeNumber } from '../read-values.js'
import { printOne, printTransactions, type TransactionList, transactionListFromJson } from './transactions-text.js'

const DEFAULT_SHOWN = 100

const transactionOptions = {
  brokerAddr: optional('b', 'address of the broker', { group: 'target' }),
  clusterName: optional('c', 'all masters of this cluster', { group: 'target' }),
  topic: optional('t', 'only those whose message goes to this topic'),
  producerGroup: optional('g', 'only those of this producer group'),
  id: optional('i', 'transaction id, or message id of one of its half messages; shows every check and answer'),
  decide: optional('d', 'with -i: decide it, COMMIT or ROLLBACK'),
  resume: optional('r', 'message id in TRANS_CHECK_MAX_TIME_TOPIC: have this given-up transaction checked again'),
  maxNum: optional('m', `how many to show per broker; without it ${DEFAULT_SHOWN}`),
} as const

type Context = CommandContext<typeof transactionOptions>

/** Ours: RocketMQ shows a counter of open transactions and nothing else. */
export const transactions = defineCommand({
  name: 'transactions',
  description: 'Show open transactions with their checks, and decide one.',
  javaName: 'TransactionsCommand',
  refusals: 'broker',
  options: transactionOptions,
  async run(context) {
    const { options } = context
    const addresses = await targets(context, options)
    if (addresses === undefined) return USAGE
    if (options.decide !== undefined) return decide(context, addresses, options.decide)
    if (options.resume !== undefined) return resume(context, addresses, options.resume)
    return show(context, addresses)
  },
})

async function show(context: Context, addresses: readonly string[]): Promise<TransactionList[]> {
  const { options, out } = context
  const lists: TransactionList[] = []
  for (const address of addresses) lists.push(await listOf(context, address))
  const { id } = options
  if (id === undefined) printTransactions(out, lists)
  else for (const { transactions } of lists) for (const one of transactions) printOne(out, one)
  if (lists.every(({ total }) => total === 0)) {
    out.line('No open transaction is like that.')
    if (id !== undefined) out.problem(`no open transaction has the id ${id}: it is decided, given up, or elsewhere`)
  }
  return lists
}

async function listOf({ options, admin }: Context, address: string): Promise<TransactionList> {
  const { topic, producerGroup, id } = options
  const { body } = await admin.invokeBroker(address, CometRequestCode.LIST_TRANSACTIONS, {
    header: ListTransactionsRequestHeader.encode({
      topic,
      producerGroup,
      id,
      maxNum: wholeNumber(options.maxNum, DEFAULT_SHOWN),
    }),
  })
  return transactionListFromJson(parseFastJson(body))
}

async function decide(context: Context, addresses: readonly string[], text: string) {
  const { options, admin, out } = context
  const { id } = options
  const decision = text.toUpperCase()
  if (id === undefined) throw new UsageError('-d needs -i', 'name the transaction to decide: -i <transaction id>')
  if (decision !== 'COMMIT' && decision !== 'ROLLBACK')
    throw new UsageError(`"${text}" is no decision`, 'give -d COMMIT or -d ROLLBACK')
  const address = await theBrokerOf(context, addresses, id)
  const { remark } = await admin.invokeBroker(address, CometRequestCode.DECIDE_TRANSACTION, {
    header: DecideTransactionRequestHeader.encode({ id, decision }),
  })
  const done = decision === 'COMMIT' ? 'committed' : 'rolled back'
  out.line(remark ?? `transaction ${id} is ${done} at ${address}.`)
  return { id, decision, broker: address, remark: remark ?? null }
}

/** In a cluster the transaction is at one of its masters. */
async function theBrokerOf(context: Context, addresses: readonly string[], id: string): Promise<string> {
  const holders: string[] = []
  if (addresses.length === 1) return addresses[0]!
  for (const address of addresses) if ((await listOf(context, address)).total > 0) holders.push(address)
  if (holders.length === 1) return holders[0]!
  const found = holders.length === 0 ? 'none of these brokers has' : `${holders.join(' and ')} all have`
  throw new UsageError(`${found} an open transaction ${id}`, 'name the broker with -b')
}

async function resume({ admin, out }: Context, addresses: readonly string[], msgId: string) {
  const [address] = addresses
  if (address === undefined || addresses.length > 1)
    throw new UsageError('-r needs one broker', 'name the broker that keeps the message with -b')
  await admin.invokeBroker(address, RequestCode.RESUME_CHECK_HALF_MESSAGE, { header: { msgId } })
  out.line(`the transaction of ${msgId} is open again: its producers will be asked.`)
  return { msgId, broker: address }
}
