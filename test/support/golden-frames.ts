import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { goldenDir } from './golden.js'

/** A body as the recorder described it: `json` (parsed), `text`, or `hex` of the first 400 bytes. */
export interface GoldenBody {
  length: number
  sha256: string
  json?: unknown
  text?: string
  hex?: string
}

/** One direction of an exchange, decoded by the recorder. */
export interface GoldenSide {
  file: string
  length: number
  header: {
    code: number
    flag: number
    language: string
    opaque: number
    version: number
    remark?: string
    extFields?: Record<string, string>
  }
  body: GoldenBody | null
}

export interface GoldenMeta {
  name: string
  direction: string
  step: string
  code: number
  codeName: string
  serializeType: 'JSON' | 'ROCKETMQ'
  senderVersion: string
  oneway: boolean
  request: GoldenSide
  response: (GoldenSide & { codeName: string; serializeType: 'JSON' | 'ROCKETMQ' }) | null
}

/** An exchange recorded from Java programs; `bytes` and `response` are whole frames with their length. */
export interface GoldenFrame {
  name: string
  bytes: Buffer
  response: Buffer | null
  meta: GoldenMeta
}

let frames: GoldenFrame[] | undefined

/** Every recorded exchange, in the order of recording. Shared: do not change it. */
export function goldenFrames(): GoldenFrame[] {
  frames ??= load()
  return frames
}

function load(): GoldenFrame[] {
  const dir = goldenDir('frames')
  const index = JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')) as { frames: GoldenMeta[] }
  return index.frames.map(meta => ({
    name: meta.name,
    bytes: readFileSync(join(dir, meta.request.file)),
    response: meta.response === null ? null : readFileSync(join(dir, meta.response.file)),
    meta,
  }))
}

/** The body of a whole frame: what follows length, header length (24 bits) and header. */
export function frameBody(frame: Buffer): Buffer {
  return frame.subarray(8 + (frame.readInt32BE(4) & 0xffffff))
}
