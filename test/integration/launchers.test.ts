import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { freePort } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
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

describe('a start that cannot be', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [bin('cometmq'), ...args], { encoding: 'utf8', timeout: 30_000 })

  test('a store that is a file is one line that says what to do', () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, '')
    const { status, stdout } = run('--store', file)
    expect(stdout).toMatch(/^\S+ \S+ ERROR CometMQ cometmq could not start: EEXIST.*file'.*: a folder is wanted .*\n$/)
    expect(status).toBe(253)
  })

  test('a port in use is named with its option', async () => {
    const port = await freePort()
    const owner = createServer()
    await new Promise<void>(resolve => owner.listen(port, '0.0.0.0', resolve))
    try {
      const { status, stdout } = run('--store', join(tempDir(), 'store'), '--namesrv-port', String(port))
      expect(stdout).toContain(
        `port ${port} (--namesrv-port) is in use by another process: stop that one, or set another`,
      )
      expect(status).toBe(253)
    } finally {
      owner.close()
    }
  })
})

describe('a daemon', () => {
  test('logs JSON when asked to, an object per line', async () => {
    const folder = tempDir()
    const conf = join(folder, 'namesrv.conf')
    writeFileSync(conf, `listenPort=${await freePort()}\nkvConfigPath=${join(folder, 'kv.json')}\nlistenProt=1\n`)
    daemon = spawn(process.execPath, [bin('mqnamesrv'), '-c', conf, '--logFormat', 'json'])
    let output = ''
    daemon.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    await eventually(() => output.includes('boot success'))
    const exit = new Promise(done => daemon?.once('close', done))
    daemon.kill('SIGTERM')
    expect(await exit).toBe(0)
    const lines = output.split('\n').filter(line => line.startsWith('{'))
    expect(lines.map(line => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 40, event: 'setting-unknown', key: 'listenProt' }),
      expect.objectContaining({ event: 'stopping' }),
      expect.objectContaining({ event: 'stopped' }),
    ])
  })

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
