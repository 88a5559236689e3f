import * as fs from 'node:fs'
import { type Disk, type DiskFile, errorText, MQError, systemDisk } from '../util/index.js'

/**
 * The disk of this machine, to look at only: files are opened for reading, nothing is mapped, and whatever would change
 * something is refused. So the readers of the store can be used beside a running broker.
 */
export const readOnlyDisk: Disk = {
  map: refuse,
  mapSync: refuse,
  async open(path) {
    const handle = await fs.promises.open(path, 'r').catch(named(path))
    return new ReadOnlyFile(path, handle, (await handle.stat()).size)
  },
  openSync(path) {
    const length = fs.statSync(path).size
    return new ReadOnlyFile(path, fs.openSync(path, 'r'), length)
  },
  list: systemDisk.list,
  stat: systemDisk.stat,
  makeFolder: refuse,
  remove: refuse,
  removeFolder: refuse,
  resize: refuse,
  readWhole: systemDisk.readWhole,
  replaceWhole: refuse,
  replaceWholeSync: refuse,
  usage: systemDisk.usage,
  syncAll: refuse,
  lock: refuse,
}

function refuse(path: string): never {
  throw new MQError('ERR_READ_ONLY', `${path} is only looked at, not changed`)
}

function named(path: string): (error: unknown) => never {
  return error => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    throw new MQError(code, `${path} cannot be read: ${errorText(error)}`, { cause: error })
  }
}

class ReadOnlyFile implements DiskFile {
  private pending = 0
  private closed = false

  constructor(
    private readonly path: string,
    private readonly handle: fs.promises.FileHandle | number,
    readonly length: number,
  ) {}

  async read(target: Buffer, position: number): Promise<number> {
    if (typeof this.handle === 'number') return this.readSync(target, position)
    if (this.closed) throw new MQError('EBADF', `${this.path} is closed`)
    this.pending++
    try {
      let done = 0
      while (done < target.length) {
        const { bytesRead } = await this.handle.read(target, done, target.length - done, position + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    } catch (error) {
      return named(this.path)(error)
    } finally {
      this.pending--
      if (this.closed && this.pending === 0) this.free()
    }
  }

  readSync(target: Buffer, position: number): number {
    return fs.readSync(
      typeof this.handle === 'number' ? this.handle : this.handle.fd,
      target,
      0,
      target.length,
      position,
    )
  }

  write(): never {
    return refuse(this.path)
  }

  writeSync(): never {
    return refuse(this.path)
  }

  flush(): never {
    return refuse(this.path)
  }

  /** Closes once the reads under way have ended. */
  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.pending === 0) this.free()
  }

  private free(): void {
    if (typeof this.handle === 'number') fs.closeSync(this.handle)
    // nothing was written, so nothing is lost when closing fails
    else this.handle.close().catch(() => {})
  }
}
