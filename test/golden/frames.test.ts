import { describe, expect, test } from 'vitest'
import { languageName } from '../../src/common/index.js'
import { FrameDecoder } from '../../src/remoting/frame-decoder.js'
import { encodeReply, encodeRequest } from '../../src/remoting/frame-encoder.js'
import {
  PullMessageRequestHeader,
  type RemotingCommand,
  Reply,
  SendMessageRequestHeaderV2,
  SerializeType,
} from '../../src/remoting/index.js'
import { OutputBuffer } from '../../src/remoting/output-buffer.js'
import { frameBody, type GoldenSide, goldenFrames } from '../support/golden-frames.js'

interface Side {
  name: string
  bytes: Buffer
  header: GoldenSide['header']
  serializeType: 'JSON' | 'ROCKETMQ'
}

/** Every recorded frame, with what the recorder read in its header. */
const sides: Side[] = goldenFrames().flatMap(({ name, bytes, response, meta }) => {
  const request: Side = { name: `${name}.req`, bytes, header: meta.request.header, serializeType: meta.serializeType }
  if (response === null || meta.response === null) return [request]
  const { header, serializeType } = meta.response
  return [request, { name: `${name}.res`, bytes: response, header, serializeType }]
})

function decode(frame: Buffer): RemotingCommand {
  const commands: RemotingCommand[] = []
  const decoder = new FrameDecoder(command => commands.push(command))
  decoder.push(frame, frame.length)
  expect([commands.length, decoder.pendingBytes]).toEqual([1, 0])
  return commands[0]!
}

function encoded(fill: (out: OutputBuffer) => void): Buffer {
  const out = new OutputBuffer()
  fill(out)
  const written: Buffer[] = []
  const socket = { write: (bytes: Buffer) => written.push(Buffer.from(bytes)), cork: () => {}, uncork: () => {} }
  out.flush(socket as never)
  return Buffer.concat(written)
}

function again(command: RemotingCommand): Buffer {
  const { code, extFields, body, remark, opaque, isOneway: oneway, language, serializeType } = command
  if (!command.isResponse) {
    return encoded(out =>
      encodeRequest(out, { code, extFields, body, remark }, { opaque, oneway, language, serializeType }),
    )
  }
  const reply = Object.assign(new Reply(code), { remark, extFields, body })
  return encoded(out => encodeReply(out, command, reply))
}

/** All but the version, which is always our own in what we send. */
function meaning({ code, flag, language, opaque, remark, extFields = {}, serializeType }: RemotingCommand) {
  return { code, flag, language, opaque, remark, extFields, serializeType }
}

describe('recorded frames', () => {
  test('are there in both serializations and directions', () => {
    for (const type of ['JSON', 'ROCKETMQ']) {
      const ofType = sides.filter(({ serializeType }) => serializeType === type)
      expect(ofType.filter(({ name }) => name.endsWith('.req')).length).toBeGreaterThan(20)
      expect(ofType.filter(({ name }) => name.endsWith('.res')).length).toBeGreaterThan(20)
    }
  })

  test.each(sides)('$name is read as it was recorded', ({ bytes, header, serializeType }) => {
    const command = decode(bytes)
    const { code, flag, opaque, version, remark, extFields } = command
    const isBinary = serializeType === 'ROCKETMQ'
    // the recorder took binary codes as they stand there: cut to 16 bits
    expect(isBinary ? (code << 16) >> 16 : code).toBe(header.code)
    expect({ flag, opaque, version, language: languageName(command.language) }).toEqual({
      flag: header.flag,
      opaque: header.opaque,
      version: header.version,
      language: header.language,
    })
    // in the binary form an empty text is Java's null
    expect(remark ?? '').toBe(header.remark ?? '')
    if (isBinary) expect(remark).not.toBe('')
    const fields = Object.entries(header.extFields ?? {}).filter(([, value]) => !isBinary || value !== '')
    expect(extFields ?? {}).toEqual(Object.fromEntries(fields))
    expect(command.serializeType).toBe(SerializeType[serializeType])
    expect(command.body.equals(frameBody(bytes))).toBe(true)
  })

  test.each(sides)('$name means the same when it is written by us', ({ bytes }) => {
    const command = decode(bytes)
    const back = decode(again(command))
    expect(meaning(back)).toEqual(meaning(command))
    expect(back.body.equals(command.body)).toBe(true)
  })

  test('a send in Java form is the same bytes again', () => {
    const sends = sides.filter(({ header, serializeType, name }) => {
      return header.code === 310 && serializeType === 'JSON' && header.version === 479 && name.endsWith('.req')
    })
    expect(sends.length).toBeGreaterThan(3)
    for (const { bytes } of sends) expect(again(decode(bytes)).toString('latin1')).toBe(bytes.toString('latin1'))
  })

  test('headers of sends and pulls read the same from their text and from the map', () => {
    const headers = { 310: SendMessageRequestHeaderV2, 11: PullMessageRequestHeader }
    let compared = 0
    for (const { bytes, header } of sides.filter(({ name }) => name.endsWith('.req'))) {
      const codec = headers[header.code as keyof typeof headers]
      if (codec === undefined) continue
      const command = decode(bytes)
      expect(codec.decodeFrom(command)).toEqual(codec.decode(command.extFields))
      compared++
    }
    expect(compared).toBeGreaterThan(20)
  })
})
