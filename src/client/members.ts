import type { ConsumerData, MessageExt, MessageQueue } from '../common/index.js'
import type { CheckTransactionStateRequestHeader, HeaderValue } from '../remoting/index.js'

/** An offset of a queue: where a group stands, or shall stand. */
export interface QueueOffset {
  queue: MessageQueue
  offset: number
}

/** A broker asks what became of a half message. */
export interface TransactionCheck {
  message: MessageExt
  header: HeaderValue<typeof CheckTransactionStateRequestHeader>
  /** Where the answer goes. */
  address: string
}

/** What a client instance needs of a producer. */
export interface ProducerMember {
  readonly group: string
  publishTopics(): Iterable<string>
  /** Missing in producers that send no transactions. */
  checkTransaction?(check: TransactionCheck): Promise<void>
}

/** How a listener fared with a message handed to it by an operator. */
export interface DirectConsumption {
  order: boolean
  autoCommit: boolean
  consumeResult: 'CR_SUCCESS' | 'CR_LATER' | 'CR_ROLLBACK' | 'CR_COMMIT' | 'CR_THROW_EXCEPTION' | 'CR_RETURN_NULL'
  remark?: string
  spentTimeMills: number
}

/** What a client instance needs of a consumer. */
export interface ConsumerMember {
  readonly group: string
  heartbeat(): ConsumerData
  topics(): Iterable<string>
  /** Takes and gives up queues; resolves to whether it owns just what it should. */
  rebalance(): Promise<boolean>
  persistOffsets(): Promise<void>
  /** Offsets of the topic's queues that are held in memory. */
  offsetsOf(topic: string): QueueOffset[]
  /** Body of the answer to GET_CONSUMER_RUNNING_INFO. */
  runningInfo(): object
  /** Moves the group to other offsets. */
  resetOffsets?(topic: string, offsets: readonly QueueOffset[]): Promise<void>
  consumeDirectly?(message: MessageExt, brokerName: string): Promise<DirectConsumption>
}
