import { Worker } from 'node:worker_threads'
import { MQError } from './errors.js'

/** Bytes for a place in a file. */
export interface FilePiece {
  readonly path: string
  readonly position: number
  readonly bytes: Uint8Array
  /** A missing or empty file is made with this length (sparse), its folder too. */
  readonly create: number
}

interface Order {
  readonly paths: readonly string[]
  /** Position, length of the piece and of a new file, three numbers for each path. */
  readonly numbers: Float64Array
  readonly data: Uint8Array
}

/** Index of the piece, code and text of the error. */
type Failure = [number, string, string]

/** How long the thread waits for more to write before it ends. */
const IDLE_MS = 180_000

/**
 * Writes small pieces into many files on a thread of its own: for thousands of files a way over the pool, one call
 * each to open and to write, costs the loop several times what the system calls themselves take.
 */
export class ManyFilesWriter {
  private worker: Worker | undefined
  private waiting: { resolve: (failures: Failure[]) => void; reject: (error: Error) => void }[] = []
  private idle: NodeJS.Timeout | undefined

  /** The error of each piece, undefined for those that were written. Rejects when there can be no thread. */
  async write(pieces: readonly FilePiece[]): Promise<(MQError | undefined)[]> {
    const errors = new Array<MQError | undefined>(pieces.length).fill(undefined)
    for (const [index, code, text] of await this.send(orderFor(pieces))) errors[index] = new MQError(code, text)
    return errors
  }

  private send(order: Order): Promise<Failure[]> {
    clearTimeout(this.idle)
    const worker = (this.worker ??= this.start())
    worker.ref()
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      worker.postMessage(order, [order.data.buffer as ArrayBuffer, order.numbers.buffer as ArrayBuffer])
    })
  }

  private start(): Worker {
    const worker = new Worker(`(${writeOrders.toString()})(require)`, {
      eval: true,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
    })
    worker.on('message', (failures: Failure[]) => {
      this.waiting.shift()?.resolve(failures)
      if (this.waiting.length > 0) return
      worker.unref()
      this.idle = setTimeout(() => this.end(), IDLE_MS).unref()
    })
    worker.once('error', error => this.fail(worker, error))
    return worker
  }

  private fail(worker: Worker, error: Error): void {
    if (this.worker === worker) this.worker = undefined
    const lost = this.waiting
    this.waiting = []
    for (const { reject } of lost) reject(error)
  }

  private end(): void {
    const worker = this.worker
    this.worker = undefined
    void worker?.terminate()
  }
}

function orderFor(pieces: readonly FilePiece[]): Order {
  const data = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes.length, 0))
  const numbers = new Float64Array(pieces.length * 3)
  let at = 0
  for (const [i, { position, bytes, create }] of pieces.entries()) {
    data.set(bytes, at)
    at += bytes.length
    numbers[i * 3] = position
    numbers[i * 3 + 1] = bytes.length
    numbers[i * 3 + 2] = create
  }
  return { paths: pieces.map(piece => piece.path), numbers, data }
}

/** Runs on the thread, from its text alone: it may use nothing of this module. */
function writeOrders(require: NodeJS.Require): void {
  const fs = require('node:fs') as typeof import('node:fs')
  const { dirname } = require('node:path') as typeof import('node:path')
  const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads')
  const open = (path: string): number => {
    const flags = fs.constants.O_RDWR | fs.constants.O_CREAT
    try {
      return fs.openSync(path, flags)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      fs.mkdirSync(dirname(path), { recursive: true })
      return fs.openSync(path, flags)
    }
  }
  const write = (order: Order, i: number, from: number): void => {
    const { paths, numbers, data } = order
    const path = paths[i] as string
    const [position, length, create] = [numbers[i * 3], numbers[i * 3 + 1], numbers[i * 3 + 2]] as [
      number,
      number,
      number,
    ]
    const fd = open(path)
    try {
      const size = fs.fstatSync(fd).size
      if (size === 0) fs.ftruncateSync(fd, create)
      else if (size !== create) {
        throw Object.assign(new Error(`${path} has ${size} bytes instead of ${create}`), { code: 'ERR_FILE_LENGTH' })
      }
      for (let done = 0; done < length; ) {
        done += fs.writeSync(fd, data, from + done, length - done, position + done)
      }
    } finally {
      fs.closeSync(fd)
    }
  }
  parentPort?.on('message', (order: Order) => {
    const failures: Failure[] = []
    let from = 0
    for (let i = 0; i < order.paths.length; i++) {
      try {
        write(order, i, from)
      } catch (error) {
        const { code = 'EIO', message } = error as NodeJS.ErrnoException
        failures.push([i, code, message.includes(order.paths[i] as string) ? message : `${message}, ${order.paths[i]}`])
      }
      from += order.numbers[i * 3 + 1] as number
    }
    parentPort.postMessage(failures)
  })
}
