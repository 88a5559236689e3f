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
  /**
   * The extFields object as JSON text, when the header came in Java's own form: the declared fields are read from it
   * directly, and a map is only made for who asks for {@link extFields}.
   */
  extJson: string | undefined = undefined
  serializeType: SerializeType = SerializeType.JSON
  /**
   * The body; empty when absent. A request's body is a view on the connection's read buffer until the handler returns:
   * a route that did not ask for `borrowsBody` gets a copy of its own.
   */
  body: Buffer = EMPTY

  private ext: ExtFields | undefined = undefined

  get extFields(): ExtFields | undefined {
    if (this.ext === undefined && this.extJson !== undefined) this.ext = parseExtFields(this.extJson)
    return this.ext
  }

  set extFields(ext: ExtFields | undefined) {
    this.ext = ext
  }

  get isResponse(): boolean {
    return (this.flag & CommandFlag.RESPONSE) !== 0
  }

  get isOneway(): boolean {
    return (this.flag & CommandFlag.ONEWAY) !== 0
  }
}

export const EMPTY: Buffer = Buffer.alloc(0)

/** Makes the map of an extFields object. @throws SyntaxError when it is not JSON. */
export function parseExtFields(json: string): ExtFields {
  return textValues(JSON.parse(json) as Record<string, unknown>)
}

/** C++ sends numbers among the ext values, others objects: Java turns each into text, null into an absent field. */
export function textValues(ext: Record<string, unknown>): ExtFields {
  for (const key in ext) {
    const value = ext[key]
    if (typeof value === 'string') continue
    if (value === null || value === undefined) delete ext[key]
    else ext[key] = typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return ext as ExtFields
}

/** What a caller fills to send a request; the connection adds opaque, flag, language and version. */
export interface OutgoingRequest {
  code: number
  extFields?: ExtFields | undefined
  body?: Buffer | undefined
  remark?: string | undefined
}
