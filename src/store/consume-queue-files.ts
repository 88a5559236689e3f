import type { Disk, DiskFile } from '../util/index.js'
import type { ConsumeQueueChunk } from './consume-queue-chunk.js'

/** Open files of all queues together: opened on use, the least used closed when there are too many. */
export class OpenFiles {
  private readonly files = new Map<string, DiskFile>()

  constructor(
    private readonly disk: Disk,
    private readonly limit = 256,
  ) {}

  get count(): number {
    return this.files.size
  }

  /** The file, made with `create` bytes when given. */
  openSync(path: string, create?: number): DiskFile {
    return this.known(path) ?? this.keep(path, this.disk.openSync(path, create === undefined ? undefined : { create }))
  }

  async open(path: string, create?: number): Promise<DiskFile> {
    const known = this.known(path)
    if (known !== undefined) return known
    const file = await this.disk.open(path, create === undefined ? undefined : { create })
    const other = this.files.get(path)
    if (other === undefined) return this.keep(path, file)
    // opened by somebody else meanwhile
    file.close()
    return other
  }

  forget(path: string): void {
    this.files.get(path)?.close()
    this.files.delete(path)
  }

  close(): void {
    for (const file of this.files.values()) file.close()
    this.files.clear()
  }

  private known(path: string): DiskFile | undefined {
    const file = this.files.get(path)
    if (file !== undefined) {
      this.files.delete(path)
      this.files.set(path, file)
    }
    return file
  }

  private keep(path: string, file: DiskFile): DiskFile {
    this.files.set(path, file)
    if (this.files.size > this.limit) {
      const oldest = this.files.keys().next().value
      if (oldest !== undefined) this.forget(oldest)
    }
    return file
  }
}

/** Chunks read from files or written to them, for consumers that follow; the least used go first. */
export class ChunkCache {
  private readonly chunks = new Map<number, ConsumeQueueChunk>()
  private bytes = 0

  constructor(private readonly limitBytes = 32 * 1024 * 1024) {}

  get(key: number): ConsumeQueueChunk | undefined {
    const chunk = this.chunks.get(key)
    if (chunk !== undefined) {
      this.chunks.delete(key)
      this.chunks.set(key, chunk)
    }
    return chunk
  }

  put(key: number, chunk: ConsumeQueueChunk): void {
    this.remove(key)
    this.chunks.set(key, chunk)
    this.bytes += chunk.capacity
    for (const oldest of this.chunks.keys()) {
      if (this.bytes <= this.limitBytes || oldest === key) break
      this.remove(oldest)
    }
  }

  remove(key: number): void {
    const chunk = this.chunks.get(key)
    if (chunk === undefined) return
    this.chunks.delete(key)
    this.bytes -= chunk.capacity
  }
}
