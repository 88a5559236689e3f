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
  /** Faults the pages of `[from, to)` in for writing, off the loop. Quietly does nothing where the kernel cannot. */
  populate(from: number, to: number): Promise<void>
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
const PAGE = 4096

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

/** Calls on the pool; the result of the call. */
function onPool(call: NativeFunction, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: unknown, result: number) => (error ? reject(error) : resolve(result)))
  })
}

function load(): NativeMemory {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  const libc = koffi.load(null)
  koffi.struct('cometmq_flock', { type: 'int16', whence: 'int16', start: 'int64', len: 'int64', pid: 'int32' })
  const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)')
  const munmap = libc.func('int munmap(void *addr, size_t length)')
  const madvise = libc.func('int madvise(uintptr_t addr, size_t length, int advice)')
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
  /** A file system without fallocate leaves the file sparse: a full disk then shows later, as before. */
  const allocateSync = (fd: number, from: number, to: number): void => {
    if (fallocate(fd, 0, from, to - from) === 0) return
    const error = failure('fallocate')
    if (error.code !== 'EOPNOTSUPP' && error.code !== 'ENOSYS' && error.code !== 'ENOTSUP') throw error
  }
  return {
    map(fd, length, isReadOnly) {
      const address: bigint = mmap(null, length, isReadOnly ? PROT_READ : PROT_READ_WRITE, MAP_SHARED, fd, 0)
      if (address === MAP_FAILED) throw failure('mmap')
      return {
        memory: koffi.view(address, length),
        async populate(from, to) {
          const start = Math.floor(from / PAGE) * PAGE
          await onPool(madvise, address + BigInt(start), to - start, MADV_POPULATE_WRITE)
        },
        setReadAhead: isOn => void madvise(address, length, isOn ? MADV_NORMAL : MADV_RANDOM),
        unmap: () => void munmap(address, length),
      }
    },
    async allocate(fd, from, to) {
      // errno belongs to the thread of the pool: when it failed there, failing again here tells why
      if ((await onPool(fallocate, fd, 0, from, to - from)) !== 0) allocateSync(fd, from, to)
    },
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
    async syncFileSystem(fd) {
      if ((await onPool(syncfs, fd)) !== 0) throw failure('syncfs')
    },
    lockFirstByte(fd) {
      const lock = { type: F_WRLCK, whence: 0, start: 0, len: 1, pid: 0 }
      if (fcntl(fd, F_OFD_SETLK, lock) === 0) return true
      const error = failure('fcntl')
      if (error.code === 'EAGAIN' || error.code === 'EACCES') return false
      throw error
    },
  }
}
