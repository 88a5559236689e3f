import { createRequire } from 'node:module'

/** What the operating system offers beyond node:fs; undefined members of it do not exist on this platform. */
export interface NativeMemory {
  /** Maps `length` bytes of `fd` shared, to read and, unless told otherwise, write. Throws {@link NativeError}. */
  map(fd: number, length: number, isReadOnly: boolean): NativeMapping
  /** Reserves blocks for `[from, to)`, off the loop. Rejects with ENOSPC when the disk is full. */
  allocate(fd: number, from: number, to: number): Promise<void>
  allocateSync(fd: number, from: number, to: number): void
  /** Makes `[from, to)` read as zeros without writing them. False where the file system cannot. */
  zeroRange(fd: number, from: number, to: number): boolean
  /** First position at or behind `from` that was ever written; undefined when there is none. */
  nextData(fd: number, from: number): number | undefined
  /** First position at or behind `from` that reads as zeros without ever having been written, or the file's end. */
  nextHole(fd: number, from: number): number
  /** Whether the kernel may read ahead of reads through `fd`. */
  setReadAhead(fd: number, isOn: boolean): void
  /** Writes everything dirty of the file system that holds `fd`, off the loop. */
  syncFileSystem(fd: number): Promise<void>
  /** Takes an exclusive lock on byte 0, released when `fd` is closed. False when somebody else holds it. */
  lockFirstByte(fd: number): boolean
}

export interface NativeMapping {
  /** The bytes of the file. Touching them after {@link unmap} ends the process. */
  readonly memory: ArrayBuffer
  /**
   * Faults the pages of `[from, to)` in for writing, off the loop. Rejects where the kernel cannot. In bulk is cheaper
   * for each page, but in pieces that the kernel does not interrupt, and that it later writes out as a whole.
   */
  populate(from: number, to: number, isBulk: boolean): Promise<void>
  /**
   * Writes what is dirty of `[from, to)` and waits until the disk has it, off the loop. Rejects with {@link
   * NativeError}.
   */
  flush(from: number, to: number): Promise<void>
  /** Whether all pages of `[from, to)` are in memory: touching them waits for no disk. */
  isInMemory(from: number, to: number): boolean
  /** Whether the kernel may read ahead of who touches pages. */
  setReadAhead(isOn: boolean): void
  unmap(): void
}

/** A system call that failed; `code` as node:fs gives it (ENOSPC, EIO, ...). */
export class NativeError extends Error {
  constructor(
    readonly syscall: string,
    readonly code: string,
  ) {
    super(`${syscall}: ${code}`)
    this.name = 'NativeError'
  }
}

type Koffi = typeof import('koffi').default
type NativeFunction = ReturnType<ReturnType<Koffi['load']>['func']>

const PROT_READ = 1
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
const MAP_FAILED = 0xffff_ffff_ffff_ffffn
const MADV_NORMAL = 0
const MADV_RANDOM = 1
const MADV_DONTNEED = 4
const MADV_POPULATE_WRITE = 23
const POSIX_FADV_NORMAL = 0
const POSIX_FADV_RANDOM = 1
const FALLOC_FL_ZERO_RANGE = 0x10
/** A lock of the open file, not of the process: a second store in this process is refused too. */
const F_OFD_SETLK = 37
const F_WRLCK = 1
const SEEK_DATA = 3
const SEEK_HOLE = 4
const ENXIO = 6
const MS_SYNC = 4
const PAGE = 4096
/** From so many bytes on, a flush lets go of its pages first. */
const MANY_DIRTY_BYTES = 64 * PAGE

/** Calls on the pool. Rejects with the error of the call when it gives -1. */
type OnPool = (syscall: string, call: NativeFunction, ...args: unknown[]) => Promise<void>

class MappedMemory implements NativeMapping {
  private readsAhead = true
  /** What is told of each page; enough for most messages. */
  private readonly present = new Uint8Array(16)
  /** Calls under way that make pages one by one. */
  private singles = 0

  constructor(
    private readonly address: bigint,
    readonly memory: ArrayBuffer,
    private readonly calls: Record<'madvise' | 'mincore' | 'msync' | 'munmap', NativeFunction> & { onPool: OnPool },
  ) {}

  async populate(from: number, to: number, isBulk: boolean): Promise<void> {
    const isSingle = this.readsAhead && !isBulk
    if (isSingle) this.singles++
    try {
      // on the pool too: changing it waits for calls under way
      if (isSingle && this.singles === 1) await this.advise(0, this.memory.byteLength, MADV_RANDOM)
      const start = pageStart(from)
      await this.advise(start, to - start, MADV_POPULATE_WRITE)
    } finally {
      if (isSingle && --this.singles === 0) await this.advise(0, this.memory.byteLength, this.readAdvice)
    }
  }

  async flush(from: number, to: number): Promise<void> {
    const start = pageStart(from)
    // The kernel takes the right to write from each page it writes out, interrupting every processor for each. Pages
    // that are not mapped need none of that; the last one is kept, since it will be written next.
    const letGo = pageStart(to) - start
    if (letGo >= MANY_DIRTY_BYTES) await this.advise(start, letGo, MADV_DONTNEED).catch(() => {})
    await this.calls.onPool('msync', this.calls.msync, this.address + BigInt(start), to - start, MS_SYNC)
  }

  isInMemory(from: number, to: number): boolean {
    const start = pageStart(from)
    const pages = Math.ceil((to - start) / PAGE)
    const present = pages <= this.present.length ? this.present : new Uint8Array(pages)
    if (this.calls.mincore(this.address + BigInt(start), to - start, present) !== 0) return false
    for (let i = 0; i < pages; i++) if ((present[i]! & 1) === 0) return false
    return true
  }

  setReadAhead(isOn: boolean): void {
    this.readsAhead = isOn
    this.calls.madvise(this.address, this.memory.byteLength, this.readAdvice)
  }

  unmap(): void {
    this.calls.munmap(this.address, this.memory.byteLength)
  }

  private get readAdvice(): number {
    return this.readsAhead ? MADV_NORMAL : MADV_RANDOM
  }

  private advise(from: number, length: number, advice: number): Promise<void> {
    return this.calls.onPool('madvise', this.calls.madvise, this.address + BigInt(from), length, advice)
  }
}

let loaded: NativeMemory | null | undefined

/** The native calls, or undefined where they are not to be had (no Linux, no koffi binary): go on without. */
export function nativeMemory(): NativeMemory | undefined {
  if (loaded === undefined) {
    try {
      loaded = process.platform === 'linux' ? load() : null
    } catch {
      // no prebuilt binary for this platform: the caller has a way without it
      loaded = null
    }
  }
  return loaded ?? undefined
}

function pageStart(position: number): number {
  return Math.floor(position / PAGE) * PAGE
}

/** A file system without fallocate leaves the file sparse: a full disk then shows later, as before. */
function unlessUnsupported(error: unknown): void {
  const isUnsupported = error instanceof NativeError && ['EOPNOTSUPP', 'ENOSYS', 'ENOTSUP'].includes(error.code)
  if (!isUnsupported) throw error
}

function load(): NativeMemory {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  const libc = koffi.load(null)
  koffi.struct('cometmq_flock', { type: 'int16', whence: 'int16', start: 'int64', len: 'int64', pid: 'int32' })
  const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)')
  const munmap = libc.func('int munmap(void *addr, size_t length)')
  const madvise = libc.func('int madvise(uintptr_t addr, size_t length, int advice)')
  const mincore = libc.func('int mincore(uintptr_t addr, size_t length, _Out_ uint8_t *present)')
  const msync = libc.func('int msync(uintptr_t addr, size_t length, int flags)')
  const fadvise = libc.func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)')
  const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)')
  const lseek = libc.func('int64_t lseek(int fd, int64_t offset, int whence)')
  const syncfs = libc.func('int syncfs(int fd)')
  const fcntl = libc.func('int fcntl(int fd, int command, cometmq_flock *lock)')

  const failure = (syscall: string): NativeError => {
    const errno = koffi.errno()
    const name = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0]
    return new NativeError(syscall, name ?? `errno ${errno}`)
  }
  const onPool: OnPool = (syscall, call, ...args) =>
    new Promise((resolve, reject) => {
      call.async(...args, (error: unknown, result: number) => {
        if (error) reject(error)
        // the errno of the call is there for as long as this callback runs
        else if (result === -1) reject(failure(syscall))
        else resolve()
      })
    })
  const allocateSync = (fd: number, from: number, to: number): void => {
    if (fallocate(fd, 0, from, to - from) !== 0) unlessUnsupported(failure('fallocate'))
  }
  return {
    map(fd, length, isReadOnly) {
      const address: bigint = mmap(null, length, isReadOnly ? PROT_READ : PROT_READ_WRITE, MAP_SHARED, fd, 0)
      if (address === MAP_FAILED) throw failure('mmap')
      return new MappedMemory(address, koffi.view(address, length), { madvise, mincore, msync, munmap, onPool })
    },
    allocate: (fd, from, to) => onPool('fallocate', fallocate, fd, 0, from, to - from).catch(unlessUnsupported),
    allocateSync,
    zeroRange: (fd, from, to) => fallocate(fd, FALLOC_FL_ZERO_RANGE, from, to - from) === 0,
    nextData(fd, from) {
      const found = Number(lseek(fd, from, SEEK_DATA))
      if (found >= 0) return found
      // a file system that cannot tell: everything may be data
      return koffi.errno() === ENXIO ? undefined : from
    },
    nextHole: (fd, from) => Math.max(from, Number(lseek(fd, from, SEEK_HOLE))),
    // advice only: a file system that takes none reads as before
    setReadAhead: (fd, isOn) => void fadvise(fd, 0, 0, isOn ? POSIX_FADV_NORMAL : POSIX_FADV_RANDOM),
    syncFileSystem: fd => onPool('syncfs', syncfs, fd),
    lockFirstByte(fd) {
      const lock = { type: F_WRLCK, whence: 0, start: 0, len: 1, pid: 0 }
      if (fcntl(fd, F_OFD_SETLK, lock) === 0) return true
      const error = failure('fcntl')
      if (error.code === 'EAGAIN' || error.code === 'EACCES') return false
      throw error
    },
  }
}
