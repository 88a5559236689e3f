import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Disk } from '../util/index.js'

/**
 * A small file of CometMQ's own beside Java's: lines of text, the last of them the CRC-32 of all before in hex. What
 * does not fit its CRC counts as damaged.
 */
export function encodeOwnFile(lines: readonly string[]): Buffer {
  const text = lines.map(line => `${line}\n`).join('')
  return Buffer.from(`${text}${crcOf(text)}\n`)
}

/** The lines, `missing`, or `damaged`. */
export function readOwnFile(disk: Disk, path: string): string[] | 'missing' | 'damaged' {
  const text = disk.readWhole(path)?.toString('utf8')
  if (text === undefined) return 'missing'
  const lines = text.split('\n')
  if (lines.pop() !== '') return 'damaged'
  const crc = lines.pop()
  return crc === crcOf(lines.map(line => `${line}\n`).join('')) ? lines : 'damaged'
}

/** Replaces the file at once or not at all. */
export async function writeOwnFile(disk: Disk, path: string, lines: readonly string[]): Promise<void> {
  disk.makeFolder(dirname(path))
  await disk.replaceWhole(path, encodeOwnFile(lines))
}

export function writeOwnFileSync(disk: Disk, path: string, lines: readonly string[]): void {
  disk.makeFolder(dirname(path))
  disk.replaceWholeSync(path, encodeOwnFile(lines))
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
