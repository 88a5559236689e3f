import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolders, systemErrorText } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

function errorOf(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('what is missing is made, what is there is left', () => {
  const folder = join(tempDir(), 'a', 'b', 'c')
  makeFolders(folder)
  makeFolders(folder)
  expect(statSync(folder).isDirectory()).toBe(true)
})

test('a file in the way is an error that says what to do', () => {
  const file = join(tempDir(), 'file')
  writeFileSync(file, '')
  expect(systemErrorText(errorOf(() => makeFolders(file)))).toMatch(/EEXIST.*file'.*: a folder is wanted/)
  expect(systemErrorText(errorOf(() => makeFolders(join(file, 'below'))))).toMatch(/ENOTDIR.*: a folder is wanted/)
})

test('a place that takes no folders is an error, not an endless search', () => {
  const file = join(tempDir(), 'file')
  writeFileSync(file, '')
  const place = existsSync('/proc/self') ? '/proc' : file
  expect(systemErrorText(errorOf(() => makeFolders(join(place, 'cometmq', 'store'))))).toContain(join(place, 'cometmq'))
})

test('other errors have no such text', () => {
  expect(systemErrorText(new Error('x'))).toBeUndefined()
  expect(systemErrorText(Object.assign(new Error('x'), { code: 'EOTHER', syscall: 'open' }))).toBeUndefined()
})
