import { defineHeader, opt, req, t } from '../header.js'

/** LIST_TRANSACTIONS, ours; all fields narrow the list. */
export const ListTransactionsRequestHeader = defineHeader('ListTransactionsRequestHeader', {
  topic: opt(t.string, { resource: 'TOPIC' }),
  producerGroup: opt(t.string),
  /** Transaction id or message id. */
  id: opt(t.string),
  maxNum: opt(t.int),
})

/** DECIDE_TRANSACTION, ours. */
export const DecideTransactionRequestHeader = defineHeader('DecideTransactionRequestHeader', {
  /** Transaction id or message id. */
  id: req(t.string),
  /** COMMIT or ROLLBACK. */
  decision: req(t.string),
})
