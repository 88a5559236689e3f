import { MQError } from '../../util/index.js'
import type { Message } from './message.js'
import { decodeProperties, encodeProperties, MAX_PROPERTIES_LENGTH } from './properties.js'

/*
 * The body of a batch: elements that follow each other (store-format 2.11).
 *
 *   0 totalSize i32 | 4 magic i32, 0 | 8 bodyCRC i32, 0 | 12 flag i32 | 16 bodyLength i32, body
 *   then propertiesLength i16, properties
 */
const FLAG = 12
const BODY_LENGTH = 16
const BODY = 20
const MIN_ELEMENT_LENGTH = BODY + 2

/** What an element holds; the rest of the message is the batch's. */
export type BatchElement = Pick<Message, 'flag' | 'body' | 'properties'>

/** Where the parts of an element lie; absolute positions in its buffer. */
export interface BatchElementParts {
  readonly end: number
  readonly flag: number
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly propertiesStart: number
  readonly propertiesEnd: number
}

/** Elements of a batch that do not fit into its body. */
export class BadBatchError extends MQError {
  constructor(reason: string) {
    super('ERR_BAD_BATCH', `the batch is malformed: ${reason}`)
  }
}

/** Finds the parts of the element at `at` in `buffer[at, to)`, checking every length. Throws {@link BadBatchError}. */
export function locateBatchElement(buffer: Buffer, at: number, to = buffer.length): BatchElementParts {
  if (to - at < MIN_ELEMENT_LENGTH) throw new BadBatchError(`${to - at} bytes are left at ${at}, too few for a message`)
  const end = at + buffer.readInt32BE(at)
  if (end < at + MIN_ELEMENT_LENGTH || end > to) throw new BadBatchError(`the size of the message at ${at} is bad`)
  const bodyStart = at + BODY
  const bodyEnd = bodyStart + buffer.readInt32BE(at + BODY_LENGTH)
  const propertiesStart = bodyEnd + 2
  if (bodyEnd < bodyStart || propertiesStart > end) throw new BadBatchError(`the body length at ${at} is bad`)
  const propertiesEnd = propertiesStart + buffer.readInt16BE(bodyEnd)
  if (propertiesEnd !== end) throw new BadBatchError(`the properties length of the message at ${at} is bad`)
  return { end, flag: buffer.readInt32BE(at + FLAG), bodyStart, bodyEnd, propertiesStart, propertiesEnd }
}

/** Bytes of one element. */
export function encodeBatchElement(element: BatchElement): Buffer {
  const properties = Buffer.from(encodeProperties(element.properties))
  if (properties.length > MAX_PROPERTIES_LENGTH) {
    throw new BadBatchError(`properties of ${properties.length} bytes, more than ${MAX_PROPERTIES_LENGTH}`)
  }
  const bytes = Buffer.alloc(MIN_ELEMENT_LENGTH + element.body.length + properties.length)
  bytes.writeInt32BE(bytes.length, 0)
  bytes.writeInt32BE(element.flag, FLAG)
  bytes.writeInt32BE(element.body.length, BODY_LENGTH)
  element.body.copy(bytes, BODY)
  bytes.writeInt16BE(properties.length, BODY + element.body.length)
  properties.copy(bytes, BODY + element.body.length + 2)
  return bytes
}

/** The body of a batch message. */
export function encodeBatch(elements: readonly BatchElement[]): Buffer {
  return Buffer.concat(elements.map(encodeBatchElement))
}

/** The elements of a batch's body; bodies are slices of it. Throws {@link BadBatchError}. */
export function decodeBatch(body: Buffer): BatchElement[] {
  const elements: BatchElement[] = []
  let at = 0
  while (at < body.length) {
    const parts = locateBatchElement(body, at)
    elements.push({
      flag: parts.flag,
      body: body.subarray(parts.bodyStart, parts.bodyEnd),
      properties: decodeProperties(body.toString('utf8', parts.propertiesStart, parts.propertiesEnd)),
    })
    at = parts.end
  }
  return elements
}

/** How many elements a batch's body holds. Throws {@link BadBatchError}. */
export function countBatch(body: Buffer): number {
  let count = 0
  for (let at = 0; at < body.length; at = locateBatchElement(body, at).end) count++
  return count
}
