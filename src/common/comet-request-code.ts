/** Requests RocketMQ does not have. They begin far above its codes, so that new ones of its own find room. */
export const CometRequestCode = {
  /** What a reset of a group's offsets would do, or an undo of the last one. */
  PREVIEW_OFFSET_RESET: 100_010,
  /** Takes the last reset of a group's offsets back. */
  UNDO_OFFSET_RESET: 100_011,
  /** The open transactions of a broker, with every check and answer. */
  LIST_TRANSACTIONS: 100_030,
  /** An operator commits or rolls back an open transaction. */
  DECIDE_TRANSACTION: 100_031,
  /** Messages that wait for their time, by timer or delay level. */
  LIST_SCHEDULED: 100_040,
  /** Takes a waiting message back, so that it is not delivered. */
  CANCEL_SCHEDULED: 100_041,
  /** Gives a waiting message another time. */
  RETIME_SCHEDULED: 100_042,
  /** What a power cut at this moment would take. */
  DURABILITY: 100_050,
  /** Takes the old messages of one topic away, or says what would go and who has not read it. */
  PURGE_TOPIC: 100_060,
} as const

export type CometRequestCode = (typeof CometRequestCode)[keyof typeof CometRequestCode]
