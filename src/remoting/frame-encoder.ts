import { CURRENT_VERSION } from '../common/index.js'
import type { ByteSource } from '../util/index.js'
import { CommandFlag, type ExtFields, type OutgoingRequest, type RemotingCommand, SerializeType } from './command.js'
import { binaryEntry, encodeBinaryHeader } from './header-binary.js'
import { encodeJsonHeader, extFieldsJson } from './header-json.js'
import type { OutputBuffer } from './output-buffer.js'
import type { Reply } from './route.js'

/** The language byte we announce: `JAVA` is what every client and old tool knows (wire-protocol 2.3). */
const ANNOUNCED_LANGUAGE = 0

/** Writes the answer to `request` in the serialization the request came in. */
export function encodeReply(out: OutputBuffer, request: RemotingCommand, reply: Reply): void {
  const bodyBytes = bodyLength(reply.body)
  if (request.serializeType === SerializeType.JSON) {
    out.writeFrame(replyJson(request.opaque, reply), bodyBytes)
  } else {
    const header = encodeBinaryHeader({
      code: reply.code,
      flag: CommandFlag.RESPONSE,
      language: ANNOUNCED_LANGUAGE,
      opaque: request.opaque,
      version: CURRENT_VERSION,
      remark: reply.remark,
      entries:
        (reply.codec?.toBinary(reply.header) ?? '') + (reply.constant?.binary ?? '') + extFieldsBinary(reply.extFields),
    })
    out.writeBinaryFrame(header, bodyBytes)
  }
  writeBody(out, reply.body)
}

const REPLY_TAIL = `,"serializeTypeCurrentRPC":"JSON","version":${CURRENT_VERSION}}`

function replyJson(opaque: number, reply: Reply): string {
  let ext = reply.codec === undefined ? '' : reply.codec.toJson(reply.header)
  if (reply.constant !== undefined) ext = joined(ext, reply.constant.json)
  if (reply.extFields !== undefined) ext = joined(ext, extFieldsJson(reply.extFields))
  if (reply.remark !== undefined) {
    return encodeJsonHeader({
      code: reply.code,
      flag: CommandFlag.RESPONSE,
      language: ANNOUNCED_LANGUAGE,
      opaque,
      version: CURRENT_VERSION,
      remark: reply.remark,
      extJson: ext === '' ? undefined : ext,
    })
  }
  const head = ext === '' ? `{"code":${reply.code}` : `{"code":${reply.code},"extFields":{${ext}}`
  return `${head},"flag":1,"language":"JAVA","opaque":${opaque}${REPLY_TAIL}`
}

function joined(fields: string, more: string): string {
  return fields === '' ? more : `${fields},${more}`
}

/** Whose request it is: what stands in its header beside code and fields. */
export interface RequestIdentity {
  opaque: number
  oneway: boolean
  language: number
  serializeType: SerializeType
}

export function encodeRequest(out: OutputBuffer, request: OutgoingRequest, identity: RequestIdentity): void {
  const flag = identity.oneway ? CommandFlag.ONEWAY : 0
  const ext: ExtFields = request.extFields ?? {}
  const bodyBytes = request.body?.length ?? 0
  const common = {
    code: request.code,
    flag,
    language: identity.language,
    opaque: identity.opaque,
    version: CURRENT_VERSION,
    remark: request.remark,
  }
  if (identity.serializeType === SerializeType.JSON) {
    out.writeFrame(encodeJsonHeader({ ...common, extJson: request.extFields && extFieldsJson(ext) }), bodyBytes)
  } else {
    out.writeBinaryFrame(encodeBinaryHeader({ ...common, entries: extFieldsBinary(ext) }), bodyBytes)
  }
  writeBody(out, request.body)
}

function extFieldsBinary(ext: ExtFields | undefined): string {
  let entries = ''
  for (const key in ext) entries += binaryEntry(key, ext[key]!)
  return entries
}

function bodyLength(body: Buffer | ByteSource | undefined): number {
  if (body === undefined) return 0
  return Buffer.isBuffer(body) ? body.length : body.totalBytes
}

function writeBody(out: OutputBuffer, body: Buffer | ByteSource | undefined): void {
  if (body === undefined) return
  if (Buffer.isBuffer(body)) out.writeRange(body, 0, body.length)
  else body.writeTo(out)
}
