import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { freePort } from '../../src/util/index.js'
import { eventually } from './eventually.js'

/** Where `bin` and the built `dist` are. */
const root = process.env.COMETMQ_ROOT ?? resolve(import.meta.dirname, '../..')

/** Real processes of a NameServer and a broker on one folder; the broker may be killed and started again. */
export class Daemons {
  private namesrv: ChildProcess | undefined
  private broker: ChildProcess | undefined
  private ports = { namesrv: 0, broker: 0 }

  constructor(
    private readonly folder: string,
    private readonly settings: Readonly<Record<string, string | number | boolean>>,
  ) {
    mkdirSync(folder, { recursive: true })
  }

  get namesrvAddr(): string {
    return `127.0.0.1:${this.ports.namesrv}`
  }

  get brokerAddr(): string {
    return `127.0.0.1:${this.ports.broker}`
  }

  get storeFolder(): string {
    return join(this.folder, 'store')
  }

  async startNamesrv(): Promise<void> {
    this.ports = { namesrv: await freePort(), broker: await freePort() }
    this.namesrv = this.launch('mqnamesrv', { listenPort: this.ports.namesrv, kvConfigPath: join(this.folder, 'kv') })
    await eventually(() => connects(this.ports.namesrv), 'the NameServer', 20_000)
  }

  /** Resolves when the broker listens and the NameServer knows it. */
  async startBroker(isRegistered: () => Promise<boolean>): Promise<void> {
    this.broker = this.launch('mqbroker', {
      listenPort: this.ports.broker,
      namesrvAddr: this.namesrvAddr,
      brokerName: 'broker-a',
      brokerIP1: '127.0.0.1',
      storePathRootDir: this.storeFolder,
      ...this.settings,
    })
    await eventually(() => connects(this.ports.broker), 'the broker', 30_000)
    await eventually(isRegistered, 'its registration', 30_000)
  }

  get brokerPid(): number {
    return this.broker?.pid ?? 0
  }

  /** What brokers have written to their log so far. */
  get brokerLog(): string {
    return readFileSync(join(this.folder, 'mqbroker.log'), 'utf8')
  }

  /** In order, with everything flushed. */
  stopBroker(): Promise<void> {
    return end(this.broker, 'SIGTERM')
  }

  /** As a kernel out of memory does it. */
  killBroker(): Promise<void> {
    return end(this.broker, 'SIGKILL')
  }

  async stop(): Promise<void> {
    await Promise.all([end(this.broker, 'SIGTERM'), end(this.namesrv, 'SIGTERM')])
  }

  private launch(name: string, settings: Readonly<Record<string, string | number | boolean>>): ChildProcess {
    if (!existsSync(join(root, 'dist'))) throw new Error(`${root} is not built: run npm run build`)
    const conf = join(this.folder, `${name}.conf`)
    writeFileSync(
      conf,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    const log = join(this.folder, `${name}.log`)
    const fd = openSync(log, 'a')
    const child = spawn(process.execPath, [join(root, 'bin', name), '-c', conf], { stdio: ['ignore', fd, fd] })
    child.once('exit', code => {
      if (code !== null && code !== 0)
        process.stderr.write(`${name} ended with ${code}:\n${readFileSync(log, 'utf8').slice(-3000)}\n`)
    })
    return child
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolveEnd => child.once('exit', resolveEnd))
  child.kill(signal)
  await ended
}

function connects(port: number): Promise<boolean> {
  return new Promise(answer => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => answer(socket.destroy() !== undefined))
    socket.once('error', () => answer(false))
  })
}
