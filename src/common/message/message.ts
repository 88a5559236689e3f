import type { HostAddress } from '../host-address.js'

/** What an application sends. */
export interface Message {
  topic: string
  /** The application's own number; the broker only keeps it. */
  flag: number
  body: Buffer
  properties: Map<string, string>
}

/** A stored message, as pulls and queries deliver it. Offsets and timestamps (ms) are exact below 2^53. */
export interface MessageExt extends Message {
  queueId: number
  /** Bytes of the whole record. */
  storeSize: number
  /** Index in its consume queue. */
  queueOffset: number
  /** Byte position of the record in the commit log. */
  commitLogOffset: number
  /** Bits of `MessageSysFlag`; COMPRESSED is cleared once the body has been unpacked. */
  sysFlag: number
  bornTimestamp: number
  bornHost: HostAddress
  storeTimestamp: number
  storeHost: HostAddress
  /** CRC-32 of the body as stored, without the top bit. */
  bodyCrc: number
  reconsumeTimes: number
  preparedTransactionOffset: number
  /** Upper-case hex of the store host and the commit log offset: what brokers find a message by. */
  offsetMsgId: string
  /** Known to whoever asked the broker; not part of the record. */
  brokerName?: string
}
