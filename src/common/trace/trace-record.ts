/** Fields of the records in a trace message, in wire order (broker-behaviour 10). */

/** What happened to a sent message; sent as its index. */
export const traceMessageTypes = ['Normal_Msg', 'Trans_Msg_Half', 'Trans_msg_Commit', 'Delay_Msg', 'Order_Msg'] as const
export type TraceMessageType = (typeof traceMessageTypes)[number]

/** How a consumption ended; sent as its index. */
export const traceContextCodes = ['SUCCESS', 'TIME_OUT', 'EXCEPTION', 'RETURNNULL', 'FAILED'] as const
export type TraceContextCode = (typeof traceContextCodes)[number]

export const traceTransactionStates = ['COMMIT_MESSAGE', 'ROLLBACK_MESSAGE', 'UNKNOW'] as const
export type TraceTransactionState = (typeof traceTransactionStates)[number]

/** Kinds of fields; those of kind `late*` were added to the end later, and may be missing. */
interface FieldKinds {
  text: string | undefined
  number: number
  boolean: boolean
  messageType: TraceMessageType
  contextCode: TraceContextCode
  transactionState: TraceTransactionState
  lateText: string | undefined
  lateNumber: number | undefined
}
export type TraceFieldKind = keyof FieldKinds

const sent = [
  ['timestamp', 'number'],
  ['regionId', 'text'],
  ['group', 'text'],
] as const

export const traceLayouts = {
  /** One per send; `timestamp` is its start, `costTime` its duration, both in ms. */
  Pub: [
    ...sent,
    ['topic', 'text'],
    ['msgId', 'text'],
    ['tags', 'text'],
    ['keys', 'text'],
    ['storeHost', 'text'],
    ['bodyLength', 'number'],
    ['costTime', 'number'],
    ['msgType', 'messageType'],
    ['offsetMsgId', 'text'],
    ['success', 'boolean'],
    ['clientHost', 'lateText'],
  ],
  /** One per message when it is handed to the application; SubAfter with the same requestId and msgId ends it. */
  SubBefore: [
    ...sent,
    ['requestId', 'text'],
    ['msgId', 'text'],
    ['retryTimes', 'number'],
    ['keys', 'text'],
    ['clientHost', 'lateText'],
  ],
  SubAfter: [
    ['requestId', 'text'],
    ['msgId', 'text'],
    ['costTime', 'number'],
    ['success', 'boolean'],
    ['keys', 'text'],
    ['contextCode', 'contextCode'],
    ['timestamp', 'lateNumber'],
    ['group', 'lateText'],
  ],
  EndTransaction: [
    ...sent,
    ['topic', 'text'],
    ['msgId', 'text'],
    ['tags', 'text'],
    ['keys', 'text'],
    ['storeHost', 'text'],
    ['msgType', 'messageType'],
    ['transactionId', 'text'],
    ['transactionState', 'transactionState'],
    ['fromTransactionCheck', 'boolean'],
  ],
  Recall: [...sent, ['topic', 'text'], ['msgId', 'text'], ['success', 'boolean']],
} as const satisfies Record<string, readonly (readonly [string, TraceFieldKind])[]>

export type TraceType = keyof typeof traceLayouts

type Field<T extends TraceType> = (typeof traceLayouts)[T][number]
type LateKind = 'lateText' | 'lateNumber'

/** The record of one type, e.g. `TraceRecordOf<'Pub'>`. */
export type TraceRecordOf<T extends TraceType> = { type: T } & {
  [F in Field<T> as F[1] extends LateKind ? never : F[0]]: FieldKinds[F[1]]
} & { [F in Field<T> as F[1] extends LateKind ? F[0] : never]?: FieldKinds[F[1]] }
export type TraceRecord = { [T in TraceType]: TraceRecordOf<T> }[TraceType]
