import * as fs from 'node:fs'
import { promisify } from 'node:util'
import type { Mapping } from './disk.js'
import { errorText, MQError } from './errors.js'

const fdatasync = promisify(fs.fdatasync)
const writeAsync = promisify(fs.write) as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<unknown>

/**
 * A mapping where mmap is not to be had: the file's bytes in the heap, written out by flush. It costs the touched
 * part of the file in memory, and what was not flushed is lost with the process.
 */
export function mapInHeap(fd: number, path: string, length: number): Mapping {
  const buffer = Buffer.from(new ArrayBuffer(length))
  // a file without blocks is all zeros, as the memory is: reading would only touch every page of it
  if (fs.fstatSync(fd).blocks > 0) fs.readSync(fd, buffer, 0, length, 0)
  let pending = 0
  let closed = false
  return {
    buffer,
    length,
    async flush(from = 0, to = length) {
      pending++
      try {
        await writeAsync(fd, buffer, from, to - from, from)
        await fdatasync(fd)
      } catch (error) {
        throw new MQError('EIO', `${errorText(error)}, ${path}`, { cause: error })
      } finally {
        pending--
        if (closed && pending === 0) fs.closeSync(fd)
      }
    },
    prefault: async () => {},
    allocate: async () => {},
    allocateSync: () => {},
    zero: (from, to) => void buffer.fill(0, from, to),
    close() {
      if (closed) return
      closed = true
      if (pending === 0) fs.closeSync(fd)
    },
  }
}
