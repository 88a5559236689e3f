import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for daemons, and those that run in it. `tree` is the checkout whose build is started. */
export class Daemons {
  #running = new Map()

  constructor(name, tree) {
    this.folder = mkdtempSync(join(tmpdir(), `cometmq-${name}-`))
    this.tree = tree
  }

  /** Starts `bin/<name>` with these keys on a free port; resolves when that answers. */
  async start(name, keys, flags = []) {
    const port = await freePort()
    const file = join(this.folder, `${name}.conf`)
    const lines = Object.entries({ listenPort: port, ...keys, logLevel: 'error' }).map(
      ([key, value]) => `${key}=${value}\n`,
    )
    writeFileSync(file, lines.join(''))
    const child = spawn(process.execPath, [...flags, join(this.tree, 'bin', name), '-c', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const daemon = { port, pid: child.pid }
    this.#running.set(daemon, child)
    while (!(await reachable(port))) await new Promise(done => setTimeout(done, 20))
    return daemon
  }

  async stop(daemon) {
    const child = this.#running.get(daemon)
    this.#running.delete(daemon)
    if (child !== undefined) await new Promise(done => child.once('exit', done).kill('SIGTERM'))
  }

  /** Stops all, and removes the folder. */
  async end() {
    for (const daemon of [...this.#running.keys()].reverse()) await this.stop(daemon)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function freePort() {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

function reachable(port) {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(!socket.destroy().connecting))
    socket.once('error', () => done(false))
  })
}
