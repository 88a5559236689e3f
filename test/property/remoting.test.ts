import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameDecoder } from '../../src/remoting/frame-decoder.js'
import { encodeRequest } from '../../src/remoting/frame-encoder.js'
import {
  defineHeader,
  opt,
  PullMessageRequestHeader,
  type RemotingCommand,
  req,
  SendMessageRequestHeaderV2,
  SerializeType,
  t,
} from '../../src/remoting/index.js'
import { OutputBuffer } from '../../src/remoting/output-buffer.js'
import { MQError } from '../../src/util/index.js'
import { goldenFrames } from '../support/golden-frames.js'

const FRAME_ERRORS = ['ERR_REMOTING_FRAME', 'ERR_REMOTING_HEADER']

/** All a stream of pieces decodes to, and the error that ended it. */
function decode(pieces: readonly Buffer[]): { commands: RemotingCommand[]; error: unknown } {
  const commands: RemotingCommand[] = []
  const decoder = new FrameDecoder(command => {
    command.body = Buffer.from(command.body)
    commands.push(command)
  })
  try {
    // a copy each: the decoder may keep no view on a chunk
    for (const piece of pieces) decoder.push(Buffer.from(piece), piece.length)
  } catch (error) {
    return { commands, error }
  }
  return { commands, error: undefined }
}

/** The bytes in pieces that end at the places given, as fractions of their length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map(place => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

/** What a command means: an ext map that cannot be read means nothing. */
function meaning({ code, flag, language, opaque, version, remark, body, ...command }: RemotingCommand) {
  return { code, flag, language, opaque, version, remark, body: body.toString('hex'), ext: command.extJson }
}

function encode(fill: (out: OutputBuffer) => void): Buffer {
  const out = new OutputBuffer()
  fill(out)
  const written: Buffer[] = []
  const socket = { write: (bytes: Buffer) => written.push(Buffer.from(bytes)), cork: () => {}, uncork: () => {} }
  out.flush(socket as never)
  return Buffer.concat(written)
}

const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const extFields = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), text, { maxKeys: 12 })
const serializeType = fc.constantFrom(SerializeType.JSON, SerializeType.ROCKETMQ)
const recorded = goldenFrames().flatMap(({ bytes, response }) => (response === null ? [bytes] : [bytes, response]))

describe('the frame decoder', () => {
  test('survives any bytes: it gives commands, waits, or throws the error that closes the connection', () => {
    const framed = fc.tuple(fc.constantFrom(0, 1, 2, 255), bytes, bytes).map(([type, header, body]) => {
      const head = Buffer.alloc(8)
      head.writeInt32BE(4 + header.length + body.length, 0)
      head.writeUInt32BE(type * 2 ** 24 + header.length, 4)
      return Buffer.concat([head, header, body])
    })
    fc.assert(
      fc.property(fc.oneof(bytes, framed, fc.array(framed).map(Buffer.concat)), places, (stream, at) => {
        const { error } = decode(cut(stream, at))
        if (error === undefined) return
        expect(error).toBeInstanceOf(MQError)
        expect(FRAME_ERRORS).toContain((error as MQError).code)
      }),
      { numRuns: 2000 },
    )
  })

  test('survives recorded frames with a byte changed, and its commands read their fields or refuse them', () => {
    const damaged = fc.tuple(fc.constantFrom(...recorded), fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(damaged, places, ([frame, where, value], at) => {
        const changed = Buffer.from(frame)
        changed[where % changed.length] = value
        const { commands, error } = decode(cut(changed, at))
        if (error !== undefined) expect(FRAME_ERRORS).toContain((error as MQError).code)
        for (const command of commands) {
          for (const header of [SendMessageRequestHeaderV2, PullMessageRequestHeader]) {
            try {
              header.decodeFrom(command)
            } catch (refusal) {
              expect(refusal).toMatchObject({ name: 'ResponseError' })
            }
          }
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('gives the same commands however the stream is cut', () => {
    const stream = fc.array(fc.constantFrom(...recorded.filter(frame => frame.length < 5000)), { maxLength: 5 })
    fc.assert(
      fc.property(stream.map(Buffer.concat), places, (whole, at) => {
        const { commands, error } = decode(cut(whole, at))
        expect(error).toBeUndefined()
        expect(commands.map(meaning)).toEqual(decode([whole]).commands.map(meaning))
      }),
    )
  })
})

describe('both serializations', () => {
  test('bring every request over as it was', () => {
    const identity = fc.record({
      opaque: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      oneway: fc.boolean(),
      language: fc.constantFrom(0, 1, 9, 12),
      serializeType,
    })
    const request = fc.record({ code: fc.nat(3000), extFields, body: bytes })
    fc.assert(
      fc.property(identity, request, (who, what) => {
        const { commands, error } = decode([encode(out => encodeRequest(out, what, who))])
        expect(error).toBeUndefined()
        expect(commands).toHaveLength(1)
        const command = commands[0]!
        expect(command).toMatchObject({ code: what.code, opaque: who.opaque, language: who.language })
        expect([command.isOneway, command.isResponse]).toEqual([who.oneway, false])
        expect(command.body).toEqual(what.body)
        // in the binary form an empty value is no value
        const isBinary = who.serializeType === SerializeType.ROCKETMQ
        const kept = Object.entries(what.extFields).filter(([, value]) => !isBinary || value !== '')
        expect(Object.entries(command.extFields ?? {}).sort()).toEqual(kept.sort())
      }),
    )
  })

  test('bring a declared header over, whichever way it is read', () => {
    const Sample = defineHeader('Sample', { a: req(t.string), b: req(t.int), c: opt(t.long), d: opt(t.bool) })
    const value = fc.record({
      // in the binary form an empty value is no value
      a: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      b: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      c: fc.option(fc.maxSafeInteger(), { nil: undefined }),
      d: fc.option(fc.boolean(), { nil: undefined }),
    })
    fc.assert(
      fc.property(value, serializeType, fc.integer({ min: 0, max: 3 }), (sent, type, turn) => {
        const entries = Object.entries(Sample.encode(sent))
        // out of the declared order the fields are read from the map
        const turned = Object.fromEntries([...entries.slice(turn), ...entries.slice(0, turn)])
        const who = { opaque: 1, oneway: false, language: 0, serializeType: type }
        const frame = encode(out => encodeRequest(out, { code: 1, extFields: turned }, who))
        expect(Sample.decodeFrom(decode([frame]).commands[0]!)).toEqual({ ...sent })
      }),
    )
  })
})
