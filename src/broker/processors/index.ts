import type { Route } from '../../remoting/index.js'
import type { BrokerContext } from '../context.js'
import type { PullService } from '../pull/pull-service.js'
import type { SendService } from '../put/send-service.js'
import type { SendBackService } from '../retry/send-back-service.js'
import type { TransactionalMessageService } from '../transaction/transactional-message-service.js'
import { adminRoutes } from './admin/index.js'
import { checkClientConfigRoute } from './check-client-config.js'
import { consumerListRoute } from './consumer-list.js'
import { consumerSendMsgBackRoute } from './consumer-send-msg-back.js'
import { earliestStoreTimeRoute } from './earliest-store-time.js'
import { endTransactionRoute } from './end-transaction.js'
import { heartbeatRoute } from './heartbeat.js'
import { lockBatchMqRoute } from './lock-batch-mq.js'
import { maxOffsetRoute } from './max-offset.js'
import { minOffsetRoute } from './min-offset.js'
import { pullMessageRoutes } from './pull-message.js'
import { queryConsumerOffsetRoute } from './query-consumer-offset.js'
import { queryMessageRoute } from './query-message.js'
import { recallMessageRoute } from './recall-message.js'
import { resumeCheckHalfMessageRoute } from './resume-check-half-message.js'
import { scheduleRoutes } from './schedule.js'
import { searchOffsetRoute } from './search-offset.js'
import { sendMessageRoutes } from './send-message.js'
import { sendReplyMessageRoutes } from './send-reply-message.js'
import { timerStateRoutes } from './timer-state.js'
import { transactionRoutes } from './transactions.js'
import { unlockBatchMqRoute } from './unlock-batch-mq.js'
import { unregisterClientRoute } from './unregister-client.js'
import { updateConsumerOffsetRoute } from './update-consumer-offset.js'
import { viewMessageRoute } from './view-message.js'

export interface BrokerServices {
  sends: SendService
  pulls: PullService
  sendBacks: SendBackService
  transactions: TransactionalMessageService
}

/** Every request the broker answers: the one list. */
export function brokerRoutes(broker: BrokerContext, services: BrokerServices): Route[] {
  return [
    ...sendMessageRoutes(services.sends),
    ...sendReplyMessageRoutes(broker),
    ...pullMessageRoutes(services.pulls),
    consumerSendMsgBackRoute(services.sendBacks),
    queryMessageRoute(broker),
    viewMessageRoute(broker),
    heartbeatRoute(broker),
    unregisterClientRoute(broker),
    checkClientConfigRoute(broker),
    consumerListRoute(broker),
    queryConsumerOffsetRoute(broker),
    updateConsumerOffsetRoute(broker),
    maxOffsetRoute(broker),
    minOffsetRoute(broker),
    searchOffsetRoute(broker),
    earliestStoreTimeRoute(broker),
    recallMessageRoute(broker),
    ...timerStateRoutes(broker),
    ...scheduleRoutes(broker),
    lockBatchMqRoute(broker),
    unlockBatchMqRoute(broker),
    endTransactionRoute(broker, services.transactions),
    resumeCheckHalfMessageRoute(services.transactions),
    ...transactionRoutes(broker, services.transactions),
    ...adminRoutes(broker),
  ]
}
