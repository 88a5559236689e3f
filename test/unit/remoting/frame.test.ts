import { describe, expect, test } from 'vitest'
import { FrameDecoder, MAX_FRAME_BYTES } from '../../../src/remoting/frame-decoder.js'
import { encodeReply, encodeRequest } from '../../../src/remoting/frame-encoder.js'
import { fail, okWith, RemotingCommand, SendMessageResponseHeader, SerializeType } from '../../../src/remoting/index.js'
import { OutputBuffer } from '../../../src/remoting/output-buffer.js'
import { inPieces } from '../../../src/util/index.js'

function decodeAll(bytes: Buffer, pieceBytes = bytes.length): RemotingCommand[] {
  const commands: RemotingCommand[] = []
  const decoder = new FrameDecoder(command => {
    command.body = Buffer.from(command.body)
    commands.push(command)
  })
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = Buffer.from(bytes.subarray(at, at + pieceBytes))
    decoder.push(piece, piece.length)
  }
  return commands
}

function taken(fill: (out: OutputBuffer) => void): Buffer {
  const out = new OutputBuffer()
  fill(out)
  const written: Buffer[] = []
  out.flush({ write: (b: Buffer) => written.push(b), cork: () => {}, uncork: () => {} } as never)
  return Buffer.concat(written)
}

function frame(headerText: string, body = '', type = 0): Buffer {
  const header = Buffer.from(headerText)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length + body.length, 0)
  head.writeInt32BE((type << 24) | header.length, 4)
  return Buffer.concat([head, header, Buffer.from(body)])
}

const request = (serializeType: SerializeType): Buffer =>
  taken(out =>
    encodeRequest(
      out,
      { code: 310, extFields: { a: 'group', i: 'k\u0001v\u0002', b: 'Ünïcode"\\' }, body: Buffer.from('hello') },
      { opaque: -7, oneway: true, language: 0, serializeType },
    ),
  )

describe('a frame', () => {
  test.each([SerializeType.JSON, SerializeType.ROCKETMQ])(
    'round-trips in serialization %i, whole and a byte at a time',
    type => {
      const bytes = Buffer.concat([request(type), request(type)])
      for (const pieceBytes of [bytes.length, 1, 3, 64]) {
        const commands = decodeAll(bytes, pieceBytes)
        expect(commands).toHaveLength(2)
        for (const command of commands) {
          expect(command).toMatchObject({ code: 310, opaque: -7, flag: 2, version: 479, serializeType: type })
          expect(command.extFields).toEqual({ a: 'group', i: 'k\u0001v\u0002', b: 'Ünïcode"\\' })
          expect(command.body.toString()).toBe('hello')
        }
      }
    },
  )

  test('an answer is written in the serialization of its request, with Java keys', () => {
    const asked = new RemotingCommand()
    asked.opaque = 41
    const bytes = taken(out =>
      encodeReply(out, asked, okWith(SendMessageResponseHeader, { msgId: 'ID', queueId: 3, queueOffset: 9 })),
    )
    expect(bytes.subarray(8).toString()).toBe(
      '{"code":0,"extFields":{"msgId":"ID","queueId":"3","queueOffset":"9"},"flag":1,"language":"JAVA","opaque":41,' +
        '"serializeTypeCurrentRPC":"JSON","version":479}',
    )
    asked.serializeType = SerializeType.ROCKETMQ
    const [answer] = decodeAll(taken(out => encodeReply(out, asked, fail(17, 'no topic'))))
    expect(answer).toMatchObject({
      code: 17,
      remark: 'no topic',
      opaque: 41,
      flag: 1,
      serializeType: SerializeType.ROCKETMQ,
    })
  })

  test('large slices are not copied and follow their head in order', () => {
    const big = Buffer.alloc(5000, 7)
    const asked = new RemotingCommand()
    const reply = okWith(SendMessageResponseHeader, {}, inPieces([Buffer.from('small'), big, Buffer.from('tail')]))
    const [answer] = decodeAll(taken(out => encodeReply(out, asked, reply)))
    expect(answer?.body.equals(Buffer.concat([Buffer.from('small'), big, Buffer.from('tail')]))).toBe(true)
  })

  test('a header in the form Java writes is read like any other JSON', () => {
    const java =
      '{"code":310,"extFields":{"a":"g","i":"k\\u0001v\\u0002 }\\",\\"flag\\":","b":"T"},"flag":2,"language":"JAVA","opaque":-5,' +
      '"serializeTypeCurrentRPC":"JSON","version":479}'
    const spaced = java.replace('"flag":2', '"flag": 2')
    for (const text of [java, spaced]) {
      const [command] = decodeAll(frame(text))
      expect(command).toMatchObject({ code: 310, flag: 2, language: 0, opaque: -5, version: 479 })
      expect(command?.extFields).toEqual({ a: 'g', i: 'k\u0001v\u0002 }","flag":', b: 'T' })
    }
  })

  test('fastjson leniency and non-string ext values are accepted', () => {
    const [command] = decodeAll(
      frame(`{code:"34",'opaque':5,"extFields":{"q":1,"b":true,"o":{"x":1},"n":null},"language":9,"extra":[1]}\n`),
    )
    expect(command).toMatchObject({ code: 34, opaque: 5, language: 9 })
    expect(command?.extFields).toEqual({ q: '1', b: 'true', o: '{"x":1}' })
  })

  test.each([
    ['a length over the limit', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['a length below the header word', Buffer.from([0, 0, 0, 3, 0, 0, 0])],
    ['a header longer than the frame', Buffer.from([0, 0, 0, 8, 0, 0, 0, 5, 1, 2, 3, 4])],
    ['an unknown serialization', frame('{}', '', 2)],
    ['garbage JSON', frame('{"code":')],
    ['an empty header', frame('')],
    ['JSON null', frame('null')],
    ['a JSON array', frame('[]')],
    ['a binary header cut short', frame('abc', '', 1)],
  ])('%s ends the stream with an error', (_name, bytes) => {
    expect(() => decodeAll(bytes)).toThrow(/ERR_|bytes|header|JSON|serialization/)
  })

  test('a promised 16 MB frame costs only what has arrived', () => {
    const decoder = new FrameDecoder(() => {})
    const head = Buffer.alloc(100)
    head.writeInt32BE(MAX_FRAME_BYTES - 4, 0)
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 50 }, () => new FrameDecoder(() => {}))
    for (const each of decoders) each.push(head, head.length)
    decoder.push(head, head.length)
    expect(decoder.pendingBytes).toBe(100)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024)
  })
})
