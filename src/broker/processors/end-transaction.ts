import { RequestCode } from '../../common/index.js'
import { EndTransactionRequestHeader, ok, type Reply, type Route, route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import type { TransactionalMessageService } from '../transaction/transactional-message-service.js'

/**
 * END_TRANSACTION (37): a producer commits or rolls back, or says that it does not know yet. Answered when the
 * committed message is as safe as the flush mode promises; producers usually do not wait (broker-behaviour 7.2).
 */
export function endTransactionRoute(
  broker: Pick<BrokerContext, 'store'>,
  transactions: Pick<TransactionalMessageService, 'end'>,
): Route {
  return route({
    code: RequestCode.END_TRANSACTION,
    request: EndTransactionRequestHeader,
    lane: 'transaction',
    action: 'PUB',
    async handle(header, command, connection): Promise<Reply> {
      const source = { client: connection.peer.text, remark: command.remark }
      const { endOffset, remark } = await transactions.end(header, source)
      // a commit counts as stored whatever becomes of the flush, as in Java
      if (endOffset !== undefined && !command.isOneway && !broker.store.isDurable(endOffset)) {
        await broker.store.whenDurable(endOffset)
      }
      return remark === undefined ? ok() : ok().withRemark(remark)
    },
  })
}
