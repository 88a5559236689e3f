import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { outliveReaders } from '../../../src/util/index.js'

const errorOf = (code: string) => Object.assign(new Error(`write ${code}`), { code })

test('a reader that has gone is no error, a full disk is one', () => {
  const stdout = new EventEmitter()
  const stderr = new EventEmitter()
  outliveReaders(stdout, stderr)
  stdout.emit('error', errorOf('EPIPE'))
  stderr.emit('error', errorOf('EPIPE'))
  expect(() => stdout.emit('error', errorOf('ENOSPC'))).toThrow('write ENOSPC')
})
