import { defineHeader, opt, req, t } from '../header.js'

/** LIST_SCHEDULED. Times in ms: when messages are due, inclusive. */
export const ListScheduledRequestHeader = defineHeader('ListScheduledRequestHeader', {
  topic: opt(t.string, { resource: 'TOPIC' }),
  key: opt(t.string),
  /** Unique key or offset message id. */
  id: opt(t.string),
  beginTime: opt(t.long),
  endTime: opt(t.long),
  maxNum: opt(t.int),
})

/** CANCEL_SCHEDULED. */
export const CancelScheduledRequestHeader = defineHeader('CancelScheduledRequestHeader', {
  id: req(t.string),
  topic: opt(t.string, { resource: 'TOPIC' }),
})

/** RETIME_SCHEDULED. A time that is past delivers at once. */
export const RetimeScheduledRequestHeader = defineHeader('RetimeScheduledRequestHeader', {
  id: req(t.string),
  deliverTime: req(t.long),
  topic: opt(t.string, { resource: 'TOPIC' }),
})
