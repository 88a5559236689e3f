import type { FilePiece } from './many-files-writer.js'

/**
 * Everything the store does to a disk. Injected, so that a test can forget unsynced writes, tear them, fail them and
 * fill up. Failures carry `code` (ENOSPC, EIO, ...) and name the path in their text.
 */
export interface Disk {
  /** Maps a file off the loop; see {@link MapOptions}. */
  map(path: string, options: MapOptions): Promise<Mapping>
  mapSync(path: string, options: MapOptions): Mapping
  /** Opens a file for reading and writing at positions. With `create` it is made with exactly that length (sparse). */
  open(path: string, options?: { create?: number }): Promise<DiskFile>
  openSync(path: string, options?: { create?: number }): DiskFile
  /** Names in a folder, unsorted; empty when there is no such folder. */
  list(folder: string): DirectoryEntry[]
  /** Undefined when there is no such file. */
  stat(path: string): FileStat | undefined
  makeFolder(path: string): void
  remove(path: string): void
  /** Removes a folder and what is in it. */
  removeFolder(path: string): void
  /** Sets the length; new bytes are zeros. */
  resize(path: string, length: number): void
  /** Undefined when there is no such file. */
  readWhole(path: string): Buffer | undefined
  /** Replaces a file so that after a power cut there is either the old or the new text. */
  replaceWhole(path: string, bytes: Uint8Array): Promise<void>
  replaceWholeSync(path: string, bytes: Uint8Array): void
  /** How full the file system of an existing folder is. */
  usage(folder: string): DiskUsage
  /**
   * Writes small pieces into many files, off the loop: the error of each that failed. Absent: one after the other
   * through {@link open}.
   */
  writeMany?(pieces: readonly FilePiece[]): Promise<(Error | undefined)[]>
  /** Makes everything written below `folder` durable. */
  syncAll(folder: string): Promise<void>
  /** Locks byte 0 of a file as the Java broker does; undefined when another process holds it. */
  lock(path: string): DiskLock | undefined
}

export interface MapOptions {
  /** Length in bytes; an existing file must have it. */
  readonly length: number
  /** Makes the file when it is missing. Its folder must exist. */
  readonly create: boolean
  /** Reserves all its blocks, so that a full disk is an error here and not a signal while writing. */
  readonly allocate: boolean
}

/** A file in memory. Writing to `buffer` writes the file; only {@link flush} makes it durable. */
export interface Mapping {
  readonly buffer: Buffer
  readonly length: number
  /** The file system is mounted for reading only: writing to `buffer` would end the process. Absent: it is not. */
  readonly isReadOnly?: boolean
  /**
   * Makes everything written before the call durable; the caller may say that only `[from, to)` changed since the
   * last.
   */
  flush(from?: number, to?: number): Promise<void>
  /**
   * Faults pages in ahead of writing. Rejects where the system cannot: they then fault in when they are written. In
   * bulk is cheaper for each page and does more at once.
   */
  prefault(from: number, to: number, isBulk: boolean): Promise<void>
  /** Reserves the blocks of a range of a sparse file. Rejects with ENOSPC when the disk is full. */
  allocate(from: number, to: number): Promise<void>
  allocateSync(from: number, to: number): void
  /** Where, from a position on, the file may hold something but zeros; its length when nowhere. Absent: not known. */
  nextData?(from: number): number
  /** Where, from a position on, the file holds nothing but zeros; its length when nowhere. Absent: not known. */
  nextHole?(from: number): number
  /** Whether touching any of a range waits for no disk. Absent: not known. */
  isInMemory?(from: number, to: number): boolean
  /** Whether the kernel may read ahead of who touches pages. Absent: it cannot be told. */
  setReadAhead?(isOn: boolean): void
  /** Sets a range to zeros. */
  zero(from: number, to: number): void
  /** Unmaps. The buffer must not be touched afterwards, nor any slice of it. */
  close(): void
}

export interface DiskFile {
  readonly length: number
  /** Bytes read; fewer than asked at the end of the file. */
  read(target: Buffer, position: number): Promise<number>
  readSync(target: Buffer, position: number): number
  /** As {@link Mapping.nextData}. */
  nextData?(from: number): number
  /** As {@link Mapping.setReadAhead}, of {@link read}. */
  setReadAhead?(isOn: boolean): void
  /** Writes all of the buffers, one after the other, from `position`. */
  write(buffers: readonly Buffer[], position: number): Promise<void>
  writeSync(buffer: Buffer, position: number): void
  flush(): Promise<void>
  close(): void
}

export interface DirectoryEntry {
  readonly name: string
  readonly isFolder: boolean
}

export interface FileStat {
  readonly length: number
  readonly isFolder: boolean
  readonly modifiedMs: number
}

export interface DiskUsage {
  readonly totalBytes: number
  readonly usedBytes: number
  /** What this process may still use. */
  readonly usableBytes: number
}

export interface DiskLock {
  release(): void
}
