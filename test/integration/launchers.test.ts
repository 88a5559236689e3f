import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { RawClient } from '../support/raw-client.js'
import { tempDir } from '../support/temp-dir.js'

/** What is in bin/, as somebody at a shell runs it. */
const bin = (name: string) => resolve(import.meta.dirname, '../../bin', name)

let daemon: ChildProcess | undefined
afterEach(() => {
  daemon?.kill('SIGKILL')
  daemon = undefined
})

describe('cometmq', () => {
  test.each([
    ['--log-level', 'loud', 'Allowed choices are debug, info, warn, error'],
    ['--log-format', 'xml', 'Allowed choices are text, json'],
    ['--broker-port', '70000', 'a port is 1 to 65535'],
  ])('refuses %s %s and says what there is', (option, value, text) => {
    const { status, stderr } = spawnSync(process.execPath, [bin('cometmq'), 'start', option, value], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    expect(stderr).toContain(text)
    expect(status).toBe(1)
  })
})

describe('a daemon', () => {
  test('outlives the reader of its output, and stops cleanly', async () => {
    const folder = tempDir()
    const port = await freePort()
    const file = join(folder, 'namesrv.conf')
    writeFileSync(file, `listenPort=${port}\nkvConfigPath=${join(folder, 'kv.json')}\n`)
    daemon = spawn(process.execPath, [bin('mqnamesrv'), '-c', file], { stdio: ['ignore', 'pipe', 'inherit'] })
    // gone before the first line
    daemon.stdout?.destroy()
    let client: RawClient | undefined
    await eventually(async () => {
      client = await RawClient.open(port).catch(() => undefined)
      return client !== undefined
    })
    expect((await client!.call({ code: 206 })).code).toBe(0)
    client!.close()
    const exit = new Promise(done => daemon?.once('exit', done))
    daemon.kill('SIGTERM')
    expect(await exit).toBe(0)
  })
})
