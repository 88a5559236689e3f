import { RequestCode } from '../../common/index.js'
import {
  EndTransactionRequestHeader,
  ok,
  type RemotingCommand,
  type Reply,
  type Route,
  route,
} from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import type { Decided } from '../transaction/transaction-decisions.js'
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
    handle(header, command, connection): Reply | Promise<Reply> {
      const source = { client: connection.peer.text, remark: command.remark }
      const decided = transactions.end(header, source)
      if (decided instanceof Promise) return decided.then(done => answer(done, command))
      return answer(decided, command)
    },
  })

  function answer({ endOffset, remark }: Decided, command: RemotingCommand): Reply | Promise<Reply> {
    const reply = remark === undefined ? ok() : ok().withRemark(remark)
    if (endOffset === undefined || command.isOneway || broker.store.isDurable(endOffset)) return reply
    // a commit counts as stored whatever becomes of the flush, as in Java
    return broker.store.whenDurable(endOffset).then(() => reply)
  }
}
