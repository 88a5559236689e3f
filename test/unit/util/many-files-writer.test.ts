import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManyFilesWriter } from '../../../src/util/many-files-writer.js'
import { tempDir } from '../../support/temp-dir.js'

const text = (piece: string): Uint8Array => Buffer.from(piece)

test('pieces reach their places; missing files and folders are made with their length', async () => {
  const root = tempDir()
  writeFileSync(join(root, 'there'), 'abcdefgh')
  const writer = new ManyFilesWriter()
  const made = join(root, 'a/b/made')
  const errors = await writer.write([
    { path: join(root, 'there'), position: 2, bytes: text('XY'), create: 8 },
    { path: made, position: 5, bytes: text('end'), create: 10 },
    { path: made, position: 0, bytes: text('new'), create: 10 },
  ])
  expect(errors).toEqual([undefined, undefined, undefined])
  expect(readFileSync(join(root, 'there'), 'latin1')).toBe('abXYefgh')
  expect(readFileSync(made, 'latin1')).toBe('new\0\0end\0\0')
})

test('what cannot be written is told of, with its path, and keeps nothing else from being written', async () => {
  const root = tempDir()
  mkdirSync(join(root, 'folder'))
  writeFileSync(join(root, 'short'), 'abc')
  const writer = new ManyFilesWriter()
  const [isFolder, isShort, fine] = await writer.write([
    { path: join(root, 'folder'), position: 0, bytes: text('x'), create: 10 },
    { path: join(root, 'short'), position: 0, bytes: text('x'), create: 10 },
    { path: join(root, 'fine'), position: 9, bytes: text('z'), create: 10 },
  ])
  expect(isFolder).toMatchObject({ code: 'EISDIR', message: expect.stringContaining(join(root, 'folder')) })
  expect(isShort).toMatchObject({ code: 'ERR_FILE_LENGTH', message: expect.stringContaining('3 bytes instead of 10') })
  expect(readFileSync(join(root, 'short'), 'latin1')).toBe('abc')
  expect([fine, readFileSync(join(root, 'fine'), 'latin1')]).toEqual([undefined, '\0\0\0\0\0\0\0\0\0z'])
})

test('orders given at once are all carried out', async () => {
  const root = tempDir()
  const writer = new ManyFilesWriter()
  const order = (i: number): Promise<unknown> =>
    writer.write([{ path: join(root, String(i)), position: 0, bytes: text(String(i)), create: 1 }])
  await Promise.all([1, 2, 3, 4].map(order))
  expect([1, 2, 3, 4].map(i => readFileSync(join(root, String(i)), 'latin1'))).toEqual(['1', '2', '3', '4'])
})
