import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { MQError } from '../../util/index.js'
import type { CompressionType } from '../sys-flag.js'

/** Largest body a compressed one may unpack to, unless the caller says otherwise. A guard against bombs. */
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024

interface Codec {
  compress(body: Buffer, level: number): Promise<Buffer>
  decompress(body: Buffer, maxBytes: number): Promise<Buffer>
}

const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflate)
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate)

const zlibCodec: Codec = {
  compress: (body, level) => deflate(body, { level }),
  decompress: (body, maxBytes) => inflate(body, { maxOutputLength: maxBytes }),
}

const lz4Codec: Codec = {
  async compress(body) {
    const { compressFrame } = await import('lz4-napi')
    return compressFrame(body)
  },
  async decompress(body, maxBytes) {
    assertLz4Fits(body, maxBytes)
    const { decompressFrame } = await import('lz4-napi')
    return decompressFrame(body)
  },
}

const LZ4_MAGIC = 0x184d2204

/** The library has no limit of its own, so the blocks are counted first: each unpacks to at most the block size. */
function assertLz4Fits(body: Buffer, maxBytes: number): void {
  if (body.length < 7 || body.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('not an LZ4 frame')
  const flags = body[4]!
  const blockSize = 1 << (8 + 2 * ((body[5]! >> 4) & 0x7))
  const blockChecksum = flags & 0x10 ? 4 : 0
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  let most = 0
  while (at + 4 <= body.length) {
    const size = body.readUInt32LE(at)
    if (size === 0) break
    const stored = size & 0x7fffffff
    // an LZ4 block grows at most 255-fold
    most += size > 0x7fffffff ? stored : Math.min(blockSize, stored * 255)
    at += 4 + stored + blockChecksum
  }
  if (most > maxBytes) throw new Error(`it may unpack to ${most} bytes, more than the limit of ${maxBytes}`)
}

/** The part of node:zlib that exists from Node 22.15 on. */
interface ZlibWithZstd {
  zstdCompress?: (body: Buffer, options: object, done: (error: Error | null, result: Buffer) => void) => void
  zstdDecompress?: (body: Buffer, options: object, done: (error: Error | null, result: Buffer) => void) => void
  constants: object
}

/** `ZSTD_c_compressionLevel` of the library's interface. */
const ZSTD_LEVEL = 100

async function loadZstd(): Promise<Codec> {
  const native: ZlibWithZstd = zlib
  if (native.zstdCompress && native.zstdDecompress) {
    const compress = promisify(native.zstdCompress)
    const decompress = promisify(native.zstdDecompress)
    return {
      compress: (body, level) => compress(body, { params: { [ZSTD_LEVEL]: level } }),
      decompress: (body, maxBytes) => decompress(body, { maxOutputLength: maxBytes }),
    }
  }
  return loadZstdWasm()
}

async function loadZstdWasm(): Promise<Codec> {
  try {
    const wasm = await import('@bokuweb/zstd-wasm')
    await wasm.init()
    return {
      compress: async (body, level) => Buffer.from(wasm.compress(body, level)),
      async decompress(body, maxBytes) {
        assertZstdFits(body, maxBytes)
        return Buffer.from(wasm.decompress(body))
      },
    }
  } catch (cause) {
    throw new MQError(
      'ERR_ZSTD_MISSING',
      'this Node has no zstd of its own: run on Node 22.15 or later, or install the package @bokuweb/zstd-wasm',
      { cause },
    )
  }
}

/** Reads the unpacked size that a frame's header may name; a frame that names none is left to the library. */
function assertZstdFits(body: Buffer, maxBytes: number): void {
  if (body.length < 6 || body.readUInt32LE(0) !== 0xfd2fb528) throw new Error('not a zstd frame')
  const descriptor = body[4]!
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryIdLength = [0, 1, 2, 4][descriptor & 0x3]!
  const sizeLength = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryIdLength
  if (sizeLength === 0 || at + sizeLength > body.length) return
  const size = sizeLength === 8 ? Number(body.readBigUInt64LE(at)) : body.readUIntLE(at, sizeLength)
  if (size > maxBytes) throw new Error(`it unpacks to ${size} bytes, more than the limit of ${maxBytes}`)
}

let zstd: Promise<Codec> | undefined

const codecs: Readonly<Record<CompressionType, () => Codec | Promise<Codec>>> = {
  ZLIB: () => zlibCodec,
  LZ4: () => lz4Codec,
  ZSTD: () => (zstd ??= loadZstd()),
}

/** Packs a body as Java's clients do; `level` (5 there) has no meaning for LZ4. */
export async function compressBody(body: Buffer, type: CompressionType, level = 5): Promise<Buffer> {
  return (await codecs[type]()).compress(body, level)
}

/** Unpacks a body. Throws MQError `ERR_BAD_COMPRESSED_BODY`, or `ERR_ZSTD_MISSING`. */
export async function decompressBody(
  body: Buffer,
  type: CompressionType,
  maxBytes = DEFAULT_MAX_BYTES,
): Promise<Buffer> {
  const codec = await codecs[type]()
  try {
    return await codec.decompress(body, maxBytes)
  } catch (cause) {
    throw new MQError('ERR_BAD_COMPRESSED_BODY', `the body (${body.length} bytes) cannot be unpacked as ${type}`, {
      cause,
    })
  }
}
