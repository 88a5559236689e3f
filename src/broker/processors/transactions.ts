import {
  CometRequestCode,
  type MessageExt,
  ResponseCode,
  ResponseError,
  stringifyFastJson,
} from '../../common/index.js'
import {
  DecideTransactionRequestHeader,
  ListTransactionsRequestHeader,
  ok,
  type Route,
  route,
} from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import type { TransactionalMessageService } from '../transaction/transactional-message-service.js'

const DEFAULT_MAX_NUM = 100

/** LIST_TRANSACTIONS and DECIDE_TRANSACTION, which RocketMQ does not have: open transactions for operators. */
export function transactionRoutes(
  broker: Pick<BrokerContext, 'identity' | 'settings'>,
  transactions: Pick<TransactionalMessageService, 'open' | 'halfMessageAt' | 'decide'>,
): Route[] {
  const list = route({
    code: CometRequestCode.LIST_TRANSACTIONS,
    request: ListTransactionsRequestHeader,
    lane: 'admin',
    action: 'LIST',
    async handle(header) {
      refuseOnSlave(broker.settings)
      const { topic, producerGroup, id, maxNum = DEFAULT_MAX_NUM } = header
      const found = await transactions.open.list({ topic, producerGroup, id, maxNum })
      return ok(Buffer.from(stringifyFastJson({ brokerName: broker.identity.brokerName, ...found })))
    },
  })
  const decide = route({
    code: CometRequestCode.DECIDE_TRANSACTION,
    request: DecideTransactionRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle({ id, decision }, _command, connection) {
      if (broker.settings.brokerRole === 'SLAVE')
        throw new ResponseError(ResponseCode.SLAVE_NOT_AVAILABLE, 'this broker is a slave: ask its master')
      if (decision !== 'COMMIT' && decision !== 'ROLLBACK')
        throw new ResponseError(ResponseCode.INVALID_PARAMETER, `"${decision}" is no decision: give COMMIT or ROLLBACK`)
      const { commitLogOffset } = theOne(id, await transactions.open.find(id))
      const source = { client: connection.peer.text, remark: undefined }
      const { remark } = await transactions.decide(await transactions.halfMessageAt(commitLogOffset), decision, source)
      return remark === undefined ? ok() : ok().withRemark(remark)
    },
  })
  return [list, decide]
}

function refuseOnSlave({ brokerRole }: Pick<BrokerContext['settings'], 'brokerRole'>): void {
  if (brokerRole === 'SLAVE')
    throw new ResponseError(ResponseCode.SLAVE_NOT_AVAILABLE, 'this broker is a slave: ask its master')
}

function theOne(id: string, found: readonly MessageExt[]): MessageExt {
  const [first] = found
  if (first === undefined)
    throw new ResponseError(
      ResponseCode.QUERY_NOT_FOUND,
      `no open transaction has the id ${id}: it is decided, given up, or of another broker`,
    )
  if (found.length > 1)
    throw new ResponseError(
      ResponseCode.INVALID_PARAMETER,
      `${found.length} open transactions have the id ${id}: name one by its message id, ` +
        found.map(({ offsetMsgId }) => offsetMsgId).join(' or '),
    )
  return first
}
