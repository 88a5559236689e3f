import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile, DiskLock, DiskUsage, MapOptions, Mapping } from './disk.js'
import { mapInHeap } from './disk-heap-mapping.js'
import { errorText, MQError } from './errors.js'
import { makeFolders } from './make-folders.js'
import { ManyFilesWriter } from './many-files-writer.js'
import { type NativeMapping, type NativeMemory, nativeMemory } from './native/mmap.js'

const fsync = promisify(fs.fsync)
const fdatasync = promisify(fs.fdatasync)
const openAsync = promisify(fs.open)
const PAGE = 4096
const manyFiles = new ManyFilesWriter()

/** The disk of this machine. */
export const systemDisk: Disk = {
  async map(path, options) {
    const fd = await openAsync(path, options.create ? fs.constants.O_RDWR | fs.constants.O_CREAT : 'r+')
    return orClose(fd, path, async () => {
      sizeForMapping(fd, path, options)
      const native = nativeMemory()
      if (options.allocate) await native?.allocate(fd, 0, options.length)
      // also one that is there already: it may be what a failed try has left
      if (options.create) {
        await fsync(fd)
        await syncFolder(dirname(path))
      }
      return toMapping(fd, path, options.length)
    })
  },
  mapSync(path, options) {
    const { fd, isReadOnly } = options.create
      ? { fd: fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT), isReadOnly: false }
      : openExisting(path)
    try {
      sizeForMapping(fd, path, options)
      if (options.allocate) nativeMemory()?.allocateSync(fd, 0, options.length)
      if (options.create) {
        fs.fsyncSync(fd)
        syncFolderSync(dirname(path))
      }
      return toMapping(fd, path, options.length, isReadOnly)
    } catch (error) {
      fs.closeSync(fd)
      throw named(error, path)
    }
  },
  async open(path, options) {
    const flags = options?.create === undefined ? 'r+' : fs.constants.O_RDWR | fs.constants.O_CREAT
    const fd = await openAsync(path, flags).catch((error: unknown) => {
      // a disk mounted for reading only can still be read
      if (options?.create === undefined && codeOf(error) === 'EROFS') return openAsync(path, 'r')
      throw error
    })
    return orClose(fd, path, async () => toFile(fd, path, options?.create))
  },
  openSync(path, options) {
    const flags = options?.create === undefined ? 'r+' : fs.constants.O_RDWR | fs.constants.O_CREAT
    return toFile(fs.openSync(path, flags), path, options?.create)
  },
  list(folder) {
    try {
      return fs
        .readdirSync(folder, { withFileTypes: true })
        .map(entry => ({ name: entry.name, isFolder: entry.isDirectory() }))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  },
  stat(path) {
    const stat = fs.statSync(path, { throwIfNoEntry: false })
    return stat && { length: stat.size, isFolder: stat.isDirectory(), modifiedMs: stat.mtimeMs }
  },
  makeFolder: makeFolders,
  remove: path => fs.rmSync(path, { force: true }),
  removeFolder: path => fs.rmSync(path, { recursive: true, force: true }),
  resize: (path, length) => fs.truncateSync(path, length),
  readWhole(path) {
    try {
      return fs.readFileSync(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  async replaceWhole(path, bytes) {
    const temporary = `${path}.tmp`
    const file = await fs.promises.open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.promises.rename(temporary, path)
    await syncFolder(dirname(path))
  },
  replaceWholeSync(path, bytes) {
    const temporary = `${path}.tmp`
    const fd = fs.openSync(temporary, 'w')
    try {
      fs.writeFileSync(fd, bytes)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(temporary, path)
    syncFolderSync(dirname(path))
  },
  usage(folder): DiskUsage {
    const stat = fs.statfsSync(folder)
    return {
      totalBytes: stat.blocks * stat.bsize,
      usedBytes: (stat.blocks - stat.bfree) * stat.bsize,
      usableBytes: stat.bavail * stat.bsize,
    }
  },
  writeMany: pieces => manyFiles.write(pieces),
  async syncAll(folder) {
    const native = nativeMemory()
    if (native === undefined) return
    const fd = await openAsync(folder, 'r')
    try {
      await native.syncFileSystem(fd)
    } finally {
      fs.closeSync(fd)
    }
  },
  lock(path) {
    const native = nativeMemory()
    return native === undefined ? lockByOwnerFile(path) : lockByByte(path, native)
  },
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** A failed call on a descriptor says no path: give it one. */
function named(error: unknown, path: string): unknown {
  const code = codeOf(error)
  return code === undefined || errorText(error).includes(path)
    ? error
    : new MQError(code, `${errorText(error)}, ${path}`, { cause: error })
}

async function orClose<T>(fd: number, path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    fs.closeSync(fd)
    throw named(error, path)
  }
}

async function syncFolder(folder: string): Promise<void> {
  const fd = await openAsync(folder, 'r')
  try {
    await fsync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function syncFolderSync(folder: string): void {
  const fd = fs.openSync(folder, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function sizeForMapping(fd: number, path: string, options: MapOptions): void {
  const length = fs.fstatSync(fd).size
  if (length === options.length) return
  if (length !== 0 || !options.create) {
    throw new MQError('ERR_FILE_LENGTH', `${path} has ${length} bytes instead of ${options.length}`)
  }
  fs.ftruncateSync(fd, options.length)
}

/** For writing too, unless the file system is mounted for reading only. */
function openExisting(path: string): { fd: number; isReadOnly: boolean } {
  try {
    return { fd: fs.openSync(path, 'r+'), isReadOnly: false }
  } catch (error) {
    if (codeOf(error) !== 'EROFS') throw error
    return { fd: fs.openSync(path, 'r'), isReadOnly: true }
  }
}

function toMapping(fd: number, path: string, length: number, isReadOnly = false): Mapping {
  const native = nativeMemory()
  return native === undefined
    ? Object.assign(mapInHeap(fd, path, length), { isReadOnly })
    : new SystemMapping({ fd, path, isReadOnly, mapping: native.map(fd, length, isReadOnly) }, native)
}

class SystemMapping implements Mapping {
  readonly buffer: Buffer
  readonly length: number
  private closed = false
  /** Calls under way on the pool, which need the descriptor and the mapping. */
  private pending = 0

  readonly isReadOnly: boolean
  private readonly fd: number
  private readonly path: string
  private readonly mapping: NativeMapping

  constructor(
    file: { fd: number; path: string; isReadOnly: boolean; mapping: NativeMapping },
    private readonly native: NativeMemory,
  ) {
    this.fd = file.fd
    this.path = file.path
    this.isReadOnly = file.isReadOnly
    this.mapping = file.mapping
    this.buffer = Buffer.from(file.mapping.memory)
    this.length = this.buffer.length
  }

  /** Only the range: what was made ready ahead of the writer would be written as zeros else. */
  flush(from = 0, to = this.length): Promise<void> {
    return this.using(() => this.mapping.flush(from, Math.min(to, this.length)))
  }

  prefault(from: number, to: number, isBulk: boolean): Promise<void> {
    return this.using(() => this.mapping.populate(from, Math.min(to, this.length), isBulk))
  }

  allocate(from: number, to: number): Promise<void> {
    return this.using(() => this.native.allocate(this.fd, from, to))
  }

  allocateSync(from: number, to: number): void {
    try {
      this.native.allocateSync(this.fd, from, to)
    } catch (error) {
      throw named(error, this.path)
    }
  }

  nextData(from: number): number {
    return this.native.nextData(this.fd, from) ?? this.length
  }

  nextHole(from: number): number {
    return Math.min(this.native.nextHole(this.fd, from), this.length)
  }

  isInMemory(from: number, to: number): boolean {
    return this.mapping.isInMemory(from, Math.min(to, this.length))
  }

  setReadAhead(isOn: boolean): void {
    if (!this.closed) this.mapping.setReadAhead(isOn)
  }

  zero(from: number, to: number): void {
    const firstPage = Math.ceil(from / PAGE) * PAGE
    const lastPage = Math.floor(to / PAGE) * PAGE
    if (lastPage > firstPage && this.native.zeroRange(this.fd, firstPage, lastPage)) {
      this.buffer.fill(0, from, firstPage)
      this.buffer.fill(0, lastPage, to)
    } else {
      this.buffer.fill(0, from, to)
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.pending === 0) this.free()
  }

  private async using(call: () => Promise<void>): Promise<void> {
    if (this.closed) return
    this.pending++
    try {
      await call()
    } catch (error) {
      throw named(error, this.path)
    } finally {
      this.pending--
      if (this.closed && this.pending === 0) this.free()
    }
  }

  private free(): void {
    this.mapping.unmap()
    fs.closeSync(this.fd)
  }
}

const readAsync = promisify(fs.read) as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>
const writevAsync = promisify(fs.writev) as (
  fd: number,
  buffers: readonly Buffer[],
  position: number,
) => Promise<{ bytesWritten: number }>

function toFile(fd: number, path: string, create: number | undefined): DiskFile {
  try {
    let length = fs.fstatSync(fd).size
    if (length === 0 && create !== undefined) {
      fs.ftruncateSync(fd, create)
      length = create
    }
    if (create !== undefined && length !== create) {
      throw new MQError('ERR_FILE_LENGTH', `${path} has ${length} bytes instead of ${create}`)
    }
    return new SystemFile(fd, path, length)
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

class SystemFile implements DiskFile {
  private pending = 0
  private closed = false

  constructor(
    private readonly fd: number,
    private readonly path: string,
    readonly length: number,
  ) {}

  read(target: Buffer, position: number): Promise<number> {
    return this.using(async () => {
      let done = 0
      while (done < target.length) {
        const { bytesRead } = await readAsync(this.fd, target, done, target.length - done, position + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    })
  }

  nextData(from: number): number {
    const native = nativeMemory()
    return native === undefined ? from : (native.nextData(this.fd, from) ?? this.length)
  }

  setReadAhead(isOn: boolean): void {
    if (!this.closed) nativeMemory()?.setReadAhead(this.fd, isOn)
  }

  readSync(target: Buffer, position: number): number {
    return fs.readSync(this.fd, target, 0, target.length, position)
  }

  write(buffers: readonly Buffer[], position: number): Promise<void> {
    return this.using(async () => {
      let rest = buffers.filter(buffer => buffer.length > 0)
      let at = position
      while (rest.length > 0) {
        const { bytesWritten } = await writevAsync(this.fd, rest, at)
        at += bytesWritten
        rest = withoutFirst(rest, bytesWritten)
      }
    })
  }

  writeSync(buffer: Buffer, position: number): void {
    for (let done = 0; done < buffer.length; ) {
      done += fs.writeSync(this.fd, buffer, done, buffer.length - done, position + done)
    }
  }

  flush(): Promise<void> {
    return this.using(() => fdatasync(this.fd))
  }

  /** Closes once the calls under way have ended. */
  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.pending === 0) fs.closeSync(this.fd)
  }

  private async using<T>(call: () => Promise<T>): Promise<T> {
    if (this.closed) throw new MQError('EBADF', `${this.path} is closed`)
    this.pending++
    try {
      return await call()
    } catch (error) {
      throw new MQError(codeOf(error) ?? 'EIO', `${errorText(error)}, ${this.path}`, { cause: error })
    } finally {
      this.pending--
      if (this.closed && this.pending === 0) fs.closeSync(this.fd)
    }
  }
}

function withoutFirst(buffers: Buffer[], bytes: number): Buffer[] {
  let skip = bytes
  const rest: Buffer[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      rest.push(skip > 0 ? buffer.subarray(skip) : buffer)
      skip = 0
    }
  }
  return rest
}

function lockByByte(path: string, native: NativeMemory): DiskLock | undefined {
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT)
  if (!native.lockFirstByte(fd)) {
    fs.closeSync(fd)
    return undefined
  }
  fs.ftruncateSync(fd, 0)
  fs.writeSync(fd, 'lock', 0)
  let held = true
  return {
    release() {
      if (held) fs.closeSync(fd)
      held = false
    },
  }
}

/** Without record locks: a file beside it that names the owner; one whose owner is gone is taken over. */
function lockByOwnerFile(path: string): DiskLock | undefined {
  const owner = `${path}.owner`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      fs.writeFileSync(owner, String(process.pid), { flag: 'wx' })
      fs.writeFileSync(path, 'lock')
      return { release: () => fs.rmSync(owner, { force: true }) }
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      if (isAlive(Number(fs.readFileSync(owner, 'utf8')))) return undefined
      fs.rmSync(owner, { force: true })
    }
  }
  return undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
