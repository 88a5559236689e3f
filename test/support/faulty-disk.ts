import { type Disk, type DiskUsage, type Mapping, MQError, systemDisk } from '../../src/util/index.js'

/** The real disk with faults that a test switches on. */
export class FaultyDisk {
  /** Code that every flush of a mapping fails with. */
  flushError: string | undefined
  /** Code that making a file fails with. */
  createError: string | undefined
  /** What `usage` says; undefined: the truth. */
  diskUsage: DiskUsage | undefined
  /** Flushes that have begun. */
  flushes = 0
  /** Holds flushes back until it resolves. */
  gate: Promise<void> | undefined

  readonly disk: Disk = {
    ...systemDisk,
    map: async (path, options) => {
      if (options.create) this.failCreate(path)
      return this.wrap(path, await systemDisk.map(path, options))
    },
    mapSync: (path, options) => {
      if (options.create) this.failCreate(path)
      return this.wrap(path, systemDisk.mapSync(path, options))
    },
    usage: folder => this.diskUsage ?? systemDisk.usage(folder),
  }

  private failCreate(path: string): void {
    if (this.createError !== undefined) throw new MQError(this.createError, `fallocate: ${this.createError}, ${path}`)
  }

  private wrap(path: string, mapping: Mapping): Mapping {
    return {
      buffer: mapping.buffer,
      length: mapping.length,
      flush: async (from, to) => {
        this.flushes++
        await this.gate
        if (this.flushError !== undefined) throw new MQError(this.flushError, `fdatasync: ${this.flushError}, ${path}`)
        await mapping.flush(from, to)
      },
      prefault: (from, to, isBulk) => mapping.prefault(from, to, isBulk),
      allocate: (from, to) => mapping.allocate(from, to),
      allocateSync: (from, to) => mapping.allocateSync(from, to),
      zero: (from, to) => mapping.zero(from, to),
      close: () => mapping.close(),
    }
  }
}
