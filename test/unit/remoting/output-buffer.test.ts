import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { OutputBuffer } from '../../../src/remoting/output-buffer.js'

/** What a socket is to an output buffer; `takes` says whether the kernel takes what is written at once. */
class Taker {
  readonly written: Buffer[] = []
  writableLength = 0
  takes = true
  /** Bytes as they were when the kernel took them at once. */
  readonly taken: string[] = []

  cork(): void {}
  uncork(): void {}
  write(bytes: Buffer): boolean {
    this.written.push(bytes)
    if (this.takes) this.taken.push(bytes.toString('latin1'))
    else this.writableLength += bytes.length
    return true
  }

  get socket(): Socket {
    return this as Partial<Socket> as Socket
  }
}

function writeAll(out: OutputBuffer, bytes: Buffer): void {
  out.writeRange(bytes, 0, bytes.length)
}

function send(out: OutputBuffer, taker: Taker, text: string): void {
  writeAll(out, Buffer.from(text))
  out.flush(taker.socket)
}

test('memory of bytes that the kernel took at once is used again', () => {
  const out = new OutputBuffer()
  const taker = new Taker()
  send(out, taker, 'first')
  send(out, taker, 'other')
  expect(taker.taken).toEqual(['first', 'other'])
  expect(taker.written[1]!.byteOffset).toBe(taker.written[0]!.byteOffset)
})

test('bytes that wait for the peer stay as they are, whoever writes meanwhile', () => {
  const [slow, fast] = [new Taker(), new Taker()]
  const [slowOut, fastOut] = [new OutputBuffer(), new OutputBuffer()]
  slow.takes = false
  send(slowOut, slow, 'waits 1')
  send(fastOut, fast, 'goes 1')
  send(slowOut, slow, 'waits 2')
  send(fastOut, fast, 'goes 2')
  send(fastOut, fast, 'goes 3')
  expect(slow.written.map(bytes => bytes.toString())).toEqual(['waits 1', 'waits 2'])
  expect(fast.taken).toEqual(['goes 1', 'goes 2', 'goes 3'])
})

test('what others have gathered in between stays as it is', () => {
  const [a, b] = [new OutputBuffer(), new OutputBuffer()]
  const taker = new Taker()
  writeAll(a, Buffer.from('a1'))
  writeAll(b, Buffer.from('b1'))
  a.flush(taker.socket)
  writeAll(a, Buffer.from('a3'))
  writeAll(b, Buffer.from('b2'))
  b.flush(taker.socket)
  a.flush(taker.socket)
  expect(taker.taken).toEqual(['a1', 'b1', 'b2', 'a3'])
})

test('large slices leave from where they are', () => {
  const out = new OutputBuffer()
  const taker = new Taker()
  const large = Buffer.alloc(8192, 'x')
  writeAll(out, Buffer.from('head'))
  writeAll(out, large)
  out.flush(taker.socket)
  expect(taker.written).toHaveLength(2)
  expect(taker.written[1]).toBe(large)
})
