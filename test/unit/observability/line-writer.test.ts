import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LineWriter } from '../../../src/observability/line-writer.js'
import { eventually } from '../../support/eventually.js'
import { tempDir } from '../../support/temp-dir.js'

test('lines arrive in order, also those of a flush', async () => {
  const file = join(tempDir(), 'log')
  const fd = openSync(file, 'a')
  const writer = new LineWriter(fd)
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} ü\n`)
  for (const line of lines) writer.write(line)
  await eventually(() => readFileSync(file, 'utf8') === lines.join(''))
  writer.write('first\n')
  await eventually(() => readFileSync(file, 'utf8').endsWith('first\n'))
  writer.write('under way\n')
  writer.write('last\n')
  writer.flush()
  await eventually(() => readFileSync(file, 'utf8').includes('under way\n'))
  expect(readFileSync(file, 'utf8')).toContain('last\n')
  closeSync(fd)
})

test('once drained, all lines are written, and a flush has nothing to overtake', async () => {
  const file = join(tempDir(), 'log')
  const fd = openSync(file, 'a')
  const writer = new LineWriter(fd)
  await writer.drained()
  writer.write('under way\n')
  writer.write('last\n')
  await writer.drained()
  expect(readFileSync(file, 'utf8')).toBe('under way\nlast\n')
  closeSync(fd)
})

test('where nothing can be written, neither lines nor the flush at the end hold up the process', async () => {
  const file = join(tempDir(), 'log')
  writeFileSync(file, '')
  // every write fails, as on a full disk or a pipe that nobody reads any more
  const readOnly = openSync(file, 'r')
  const writer = new LineWriter(readOnly)
  for (let i = 0; i < 10; i++) writer.write(`line ${i}\n`)
  writer.flush()
  await writer.reopen(file)
  writer.write('it goes on\n')
  await eventually(() => readFileSync(file, 'utf8') === 'it goes on\n')
})

test('reopening closes the old file, at once or when what is under way has been written', async () => {
  const folder = tempDir()
  for (const isBusy of [false, true]) {
    const [before, after] = [join(folder, `before-${isBusy}`), join(folder, `after-${isBusy}`)]
    const fd = openSync(before, 'a')
    const writer = new LineWriter(fd)
    if (isBusy) writer.write('before\n')
    await writer.reopen(after)
    await eventually(() => {
      try {
        // fails once the descriptor is closed
        readFileSync(fd)
        return false
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EBADF'
      }
    })
    writer.write('after\n')
    await eventually(() => readFileSync(after, 'utf8') === 'after\n')
    expect(readFileSync(before, 'utf8')).toBe(isBusy ? 'before\n' : '')
  }
})
