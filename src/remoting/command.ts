/** How a header is serialized: the T of wire-protocol 1. */
export const SerializeType = { JSON: 0, ROCKETMQ: 1 } as const
export type SerializeType = (typeof SerializeType)[keyof typeof SerializeType]

/** Bits of the `flag` field. */
export const CommandFlag = { RESPONSE: 1, ONEWAY: 2 } as const

/** The `extFields` map: always strings once decoded, whatever a client sent. */
export type ExtFields = Record<string, string>

/** One decoded frame. Plain data: the same shape for requests and responses, in both directions. */
export class RemotingCommand {
  code = 0
  /** Byte of the sender's language (wire-protocol 2.3); -1 when the name is unknown. */
  language = 0
  /** MQVersion ordinal of the sender. */
  version = 0
  opaque = 0
  flag = 0
  remark: string | undefined = undefined
  extFields: ExtFields | undefined = undefined
  serializeType: SerializeType = SerializeType.JSON
  /**
   * The body; empty when absent. A request's body is a view on the connection's read buffer until the handler returns:
   * a route that did not ask for `borrowsBody` gets a copy of its own.
   */
  body: Buffer = EMPTY

  get isResponse(): boolean {
    return (this.flag & CommandFlag.RESPONSE) !== 0
  }

  get isOneway(): boolean {
    return (this.flag & CommandFlag.ONEWAY) !== 0
  }
}

export const EMPTY: Buffer = Buffer.alloc(0)

/** What a caller fills to send a request; the connection adds opaque, flag, language and version. */
export interface OutgoingRequest {
  code: number
  extFields?: ExtFields | undefined
  body?: Buffer | undefined
  remark?: string | undefined
}
