import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdminClient } from '../client/index.js'
import { hostAddressToString, type MessageExt, PropertyName } from '../common/index.js'
import { errorText } from '../util/index.js'
import { mapText, millisText } from './format.js'
import { messageData, messageId } from './message-text.js'
import { type MessageTrack, messageTracks, trackText } from './message-track.js'
import type { Output } from './output.js'
import type { BodyDecoder } from './read-values.js'

const ROW = '%-20s %s'

interface BlockOptions {
  /** Shows the body in this charset. */
  decoder?: BodyDecoder | undefined
  /** Whether the line with the offset id is there. */
  hasOffsetId?: boolean
  /** Comes after the unique id in the name of the body's file. */
  index?: number
}

/** Everything about one message, its body written to a file, and what became of it in each group. */
export async function printMessageBlock(
  admin: AdminClient,
  out: Output,
  message: MessageExt,
  { decoder, hasOffsetId = true, index }: BlockOptions = {},
): Promise<object> {
  const path = await writeBody(message, index)
  if (hasOffsetId) out.row(ROW, 'OffsetID:', message.offsetMsgId)
  for (const [label, value] of fields(message)) out.row(ROW, label, value)
  out.row(ROW, 'Message Body Path:', path)
  if (decoder !== undefined) out.row(ROW, 'Message Body:', decoder.decode(message.body))
  const tracks = await printTracks(admin, out, message)
  return { ...messageData(message, decoder), bodyPath: path, tracks }
}

function fields(message: MessageExt): [string, unknown][] {
  return [
    ['Topic:', message.topic],
    ['Tags:', `[${message.properties.get(PropertyName.TAGS) ?? null}]`],
    ['Keys:', `[${message.properties.get(PropertyName.KEYS) ?? null}]`],
    ['Queue ID:', message.queueId],
    ['Queue Offset:', message.queueOffset],
    ['CommitLog Offset:', message.commitLogOffset],
    ['Reconsume Times:', message.reconsumeTimes],
    ['Born Timestamp:', millisText(message.bornTimestamp)],
    ['Store Timestamp:', millisText(message.storeTimestamp)],
    ['Born Host:', hostAddressToString(message.bornHost)],
    ['Store Host:', hostAddressToString(message.storeHost)],
    ['System Flag:', message.sysFlag],
    ['Properties:', mapText(message.properties)],
  ]
}

async function printTracks(admin: AdminClient, out: Output, message: MessageExt): Promise<MessageTrack[]> {
  try {
    const tracks = await messageTracks(admin, message)
    if (tracks.length === 0) out.text('\n\nWARN: No Consumer')
    else out.text('\n\n')
    for (const track of tracks) out.line(trackText(track))
    return tracks
  } catch (error) {
    out.failure(`what became of the message is not known: ${errorText(error)}`)
    return []
  }
}

/** The id comes from whoever sent the message, so nothing of it may lead to another folder. */
async function writeBody(message: MessageExt, index: number | undefined): Promise<string> {
  const folder = join(tmpdir(), 'rocketmq', 'msgbodys')
  const name = messageId(message).replace(/[^0-9A-Za-z_-]/g, '_')
  const path = join(folder, index === undefined || index === 0 ? name : `${name}_${index}`)
  await mkdir(folder, { recursive: true })
  await writeFile(path, message.body)
  return path
}
