import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { ExitCode, makeFolders, runDaemon, silentLogger } from '../../../src/util/index.js'
import { eventually } from '../../support/eventually.js'
import { ManualClock } from '../../support/manual-clock.js'

class FakeProcess extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

function daemon(stop: () => Promise<void>, start = async () => ({ stop })) {
  const host = new FakeProcess()
  const acts: string[] = []
  const clock = new ManualClock()
  const onExit = () => void acts.push('exit')
  const started = runDaemon({ name: 'x', logger: silentLogger, process: host, clock, start, onExit })
  return { host, acts, started, clock }
}

test('a signal stops it once and ends with 0', async () => {
  let stops = 0
  const { host, acts, started } = daemon(async () => void stops++)
  await started
  host.emit('SIGTERM')
  await eventually(() => host.exits.length > 0)
  expect([stops, host.exits, acts]).toEqual([1, [ExitCode.ok], ['exit']])
})

test('a second signal while it stops ends it at once, unless it is the first one delivered twice', async () => {
  let finish = () => {}
  const { host, started, clock } = daemon(() => new Promise(resolve => (finish = resolve)))
  await started
  host.emit('SIGTERM')
  expect(host.exits).toEqual([])
  await clock.advance(999)
  host.emit('SIGINT')
  expect(host.exits).toEqual([])
  await clock.advance(1)
  host.emit('SIGINT')
  expect(host.exits).toEqual([130])
  finish()
  await new Promise(resolve => setImmediate(resolve))
  expect(host.exits).toEqual([130])
})

test('a stop that fails ends with 255', async () => {
  const { host, started } = daemon(() => Promise.reject(new Error('disk')))
  await started
  host.emit('SIGHUP')
  await eventually(() => host.exits.length > 0)
  expect(host.exits).toEqual([ExitCode.failed])
})

test('a start that fails ends with 253', async () => {
  const { host, started } = daemon(
    async () => {},
    () => Promise.reject(new Error('port in use')),
  )
  await started
  expect(host.exits).toEqual([ExitCode.notStarted])
})

test('an error of the system at the start says what to do, without a stack', async () => {
  const host = new FakeProcess()
  const lines: { fields: object; text: string }[] = []
  const logger = { ...silentLogger, error: (fields: object, text: string) => void lines.push({ fields, text }) }
  const start = async () => {
    makeFolders(import.meta.filename)
    return { stop: async () => {} }
  }
  await runDaemon({ name: 'x', logger, process: host, start })
  expect(host.exits).toEqual([ExitCode.notStarted])
  expect(lines).toEqual([
    {
      fields: { event: 'start-failed', code: 'EEXIST' },
      text: expect.stringMatching(
        /^x could not start: EEXIST.*run-daemon.test.ts': a folder is wanted where .* a file/,
      ),
    },
  ])
})

test('a signal during the start waits for it, then stops', async () => {
  let ready = (_: { stop(): Promise<void> }) => {}
  let stops = 0
  const { host, started } = daemon(
    async () => {},
    () => new Promise(resolve => (ready = resolve)),
  )
  host.emit('SIGTERM')
  expect(host.exits).toEqual([])
  ready({ stop: async () => void stops++ })
  await started
  expect([stops, host.exits]).toEqual([1, [ExitCode.ok]])
})

test('an error nobody caught ends it with 255', async () => {
  const { host, started } = daemon(async () => {})
  await started
  host.emit('uncaughtException', new Error('bug'))
  expect(host.exits).toEqual([ExitCode.failed])
})
