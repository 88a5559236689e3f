import { dirname } from 'node:path'
import { type Disk, type DiskFile, type Mapping, MQError } from '../../src/util/index.js'
import type { Random } from './random.js'

const SECTOR = 512

interface Content {
  /** What the process sees. */
  current: Buffer
  /** What the platters hold. */
  durable: Buffer
  /** Whether the name outlives a power cut. */
  isNamed: boolean
}

/** Which calls fail, each with its probability; `code` is what they fail with. */
export interface Faults {
  flush: number
  write: number
  open: number
  allocate: number
  code: 'EIO' | 'ENOSPC'
}

const NO_FAULTS: Faults = { flush: 0, write: 0, open: 0, allocate: 0, code: 'EIO' }

/**
 * A disk in memory that forgets at a power cut: of everything written and not flushed it keeps any sectors of 512
 * bytes, and no others; files without a flush may vanish, deleted ones may come back. All of it is up to a seed.
 */
export class SimulatedDisk {
  faults: Faults = { ...NO_FAULTS }
  /** Most bytes of all files together. */
  capacity = Number.MAX_SAFE_INTEGER
  /** Turns of the event loop that an answer takes at most. */
  slowness = 0
  /** Failures given. */
  failures = 0
  private readonly files = new Map<string, Content>()
  private readonly folders = new Set<string>()
  private readonly deleted = new Map<string, Content>()
  private readonly locks = new Set<string>()
  /** Counts power cuts: calls of a process that is gone change nothing any more. */
  private generation = 0

  constructor(private readonly random: Random) {}

  /** The power goes: what is left is what the next process finds. */
  powerCut(): void {
    this.generation++
    this.locks.clear()
    this.faults = { ...NO_FAULTS }
    // from "nothing was written back" to "all of it was"
    const kept = this.random.pick([0, 0.2, 0.5, 0.9, 1])
    for (const [path, content] of [...this.deleted]) {
      if (this.random.chance(0.3) && !this.files.has(path)) this.files.set(path, content)
    }
    this.deleted.clear()
    for (const [path, content] of [...this.files]) {
      if (!content.isNamed && this.random.chance(0.5)) {
        this.files.delete(path)
        continue
      }
      const left = Buffer.from(content.durable)
      for (let at = 0; at < left.length; at += SECTOR) {
        const sector = content.current.subarray(at, at + SECTOR)
        if (!sector.equals(left.subarray(at, at + SECTOR)) && this.random.chance(kept)) sector.copy(left, at)
      }
      // the old process may still hold its memory
      this.files.set(path, { current: left, durable: Buffer.from(left), isNamed: true })
    }
  }

  /** The bytes of all files, to be changed by a test that damages them. */
  get contents(): ReadonlyMap<string, Buffer> {
    return new Map([...this.files].map(([path, content]) => [path, content.current]))
  }

  /** A copy of another disk's files, all of them durable. */
  copyFrom(other: SimulatedDisk): void {
    this.files.clear()
    for (const [path, { current }] of other.files) this.put(path, Buffer.from(current))
    for (const folder of other.folders) this.folders.add(folder)
  }

  put(path: string, bytes: Buffer): void {
    this.files.set(path, { current: bytes, durable: Buffer.from(bytes), isNamed: true })
  }

  private get used(): number {
    let bytes = 0
    for (const content of this.files.values()) bytes += content.current.length
    return bytes
  }

  private mayFail(what: 'flush' | 'write' | 'open' | 'allocate', path: string): void {
    if (this.faults[what] === 0 || !this.random.chance(this.faults[what])) return
    this.failures++
    throw new MQError(this.faults.code, `${what}: ${this.faults.code}, ${path}`)
  }

  private async answer(): Promise<void> {
    for (let turns = this.random.below(this.slowness + 1); turns > 0; turns--) {
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** Runs `call` after a while, unless the power went meanwhile: then never. */
  private async later<T>(call: () => T): Promise<T> {
    const { generation } = this
    await this.answer()
    if (generation !== this.generation) return new Promise<T>(() => {})
    return call()
  }

  private make(path: string, length: number): Content {
    if (this.used + length > this.capacity) throw new MQError('ENOSPC', `open: ENOSPC, ${path}`)
    const content = { current: Buffer.alloc(length), durable: Buffer.alloc(length), isNamed: false }
    this.files.set(path, content)
    this.deleted.delete(path)
    return content
  }

  private existing(path: string): Content {
    const content = this.files.get(path)
    if (content === undefined) throw new MQError('ENOENT', `open: ENOENT, ${path}`)
    return content
  }

  private mapped(path: string, options: { length: number; create: boolean; allocate: boolean }): Mapping {
    if (options.create) this.mayFail('open', path)
    if (options.allocate) this.mayFail('allocate', path)
    const content = this.files.get(path) ?? (options.create ? this.make(path, options.length) : this.existing(path))
    if (content.current.length !== options.length) {
      throw new MQError('ERR_FILE_LENGTH', `${path} has ${content.current.length} bytes instead of ${options.length}`)
    }
    content.isNamed = true
    return {
      buffer: content.current,
      length: options.length,
      flush: (from, to) => this.flush(path, content, from, to),
      prefault: async () => {},
      allocate: async () => this.mayFail('allocate', path),
      allocateSync: () => this.mayFail('allocate', path),
      zero: (from, to) => void content.current.fill(0, from, to),
      close: () => {},
    }
  }

  private async flush(path: string, content: Content, from = 0, to = content.current.length): Promise<void> {
    const snapshot = Buffer.from(content.current.subarray(from, to))
    await this.later(() => {
      this.mayFail('flush', path)
      snapshot.copy(content.durable, from)
      content.isNamed = true
    })
  }

  private opened(path: string, create: number | undefined): DiskFile {
    this.mayFail('open', path)
    const content = this.files.get(path) ?? (create === undefined ? this.existing(path) : this.make(path, create))
    if (create !== undefined && content.current.length !== create) {
      throw new MQError('ERR_FILE_LENGTH', `${path} has ${content.current.length} bytes instead of ${create}`)
    }
    const read = (target: Buffer, position: number): number => content.current.copy(target, 0, position)
    return {
      length: content.current.length,
      read: (target, position) => this.later(() => read(target, position)),
      readSync: read,
      write: (buffers, position) =>
        this.later(() => {
          this.mayFail('write', path)
          let at = position
          for (const buffer of buffers) at += buffer.copy(content.current, at)
        }),
      writeSync: (buffer, position) => void buffer.copy(content.current, position),
      flush: () => this.flush(path, content),
      close: () => {},
    }
  }

  private remove(path: string): void {
    const content = this.files.get(path)
    if (content === undefined) return
    this.files.delete(path)
    if (content.isNamed) this.deleted.set(path, content)
  }

  private replace(path: string, bytes: Uint8Array): void {
    this.mayFail('write', path)
    this.put(path, Buffer.from(bytes))
  }

  /** The disk as the process that begins now sees it; after the next power cut its calls do nothing. */
  process(): Disk {
    const { generation } = this
    const disk = this.calls()
    return new Proxy(disk, {
      get: (target, name, receiver) => {
        if (generation !== this.generation) throw new Error('the power is off')
        return Reflect.get(target, name, receiver) as unknown
      },
    })
  }

  private calls(): Disk {
    return {
      map: (path, options) => this.later(() => this.mapped(path, options)),
      mapSync: (path, options) => this.mapped(path, options),
      open: (path, options) => this.later(() => this.opened(path, options?.create)),
      openSync: (path, options) => this.opened(path, options?.create),
      list: folder => {
        const names = new Map<string, boolean>()
        for (const path of [...this.files.keys(), ...[...this.folders].map(one => `${one}/`)]) {
          if (!path.startsWith(`${folder}/`)) continue
          const [name, ...rest] = path.slice(folder.length + 1).split('/')
          if (name !== undefined && name !== '') names.set(name, rest.length > 0)
        }
        return [...names].map(([name, isFolder]) => ({ name, isFolder }))
      },
      stat: path => {
        const content = this.files.get(path)
        if (content !== undefined) return { length: content.current.length, isFolder: false, modifiedMs: 0 }
        return this.folders.has(path) ? { length: 0, isFolder: true, modifiedMs: 0 } : undefined
      },
      makeFolder: path => {
        for (let folder = path; folder.length > 1; folder = dirname(folder)) this.folders.add(folder)
      },
      remove: path => this.remove(path),
      removeFolder: path => {
        for (const file of [...this.files.keys()]) if (file.startsWith(`${path}/`)) this.remove(file)
        for (const folder of [...this.folders]) {
          if (folder === path || folder.startsWith(`${path}/`)) this.folders.delete(folder)
        }
      },
      resize: (path, length) => {
        const bytes = Buffer.alloc(length)
        this.existing(path).current.copy(bytes)
        this.put(path, bytes)
      },
      readWhole: path => {
        const content = this.files.get(path)
        return content && Buffer.from(content.current)
      },
      replaceWhole: (path, bytes) => this.later(() => this.replace(path, bytes)),
      replaceWholeSync: (path, bytes) => this.replace(path, bytes),
      usage: () => {
        const totalBytes = Math.min(this.capacity, 1e15)
        return { totalBytes, usedBytes: this.used, usableBytes: totalBytes - this.used }
      },
      syncAll: folder =>
        this.later(() => {
          this.mayFail('flush', folder)
          for (const path of [...this.deleted.keys()]) if (path.startsWith(`${folder}/`)) this.deleted.delete(path)
          for (const [path, content] of this.files) {
            if (!path.startsWith(`${folder}/`)) continue
            content.current.copy(content.durable)
            content.isNamed = true
          }
        }),
      lock: path => {
        if (this.locks.has(path)) return undefined
        this.locks.add(path)
        const { generation } = this
        return { release: () => void (generation === this.generation && this.locks.delete(path)) }
      },
    }
  }
}
