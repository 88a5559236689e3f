import { existsSync, promises as fs, readFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Timer } from './clock.js'
import { errorText, MQError } from './errors.js'
import type { Logger } from './logger.js'
import { makeFolders } from './make-folders.js'

export interface ConfigFileOptions {
  path: string
  clock: Clock
  logger: Logger
  /** The whole text in pieces; asked for piece by piece, with other work in between. */
  encode: () => Iterable<string>
  /** Takes the text over, all or nothing. Throws when it cannot be read. */
  decode: (text: string) => void
}

/** Bytes gathered before they are handed to the disk. */
const CHUNK_BYTES = 256 * 1024
const MOST_BYTES_PER_CHAR = 3
/** Longest stretch of encoding without letting other work run, in ms. */
const SLICE_MS = 1
const RETRY_MS = 10_000

/**
 * A table kept in one small file, as Java's ConfigManager does (store-format 14.1): the text before the last change is
 * kept in `<path>.bak` and read when the file itself cannot be. A reader finds the old or the new text at any time, and
 * after a power cut too.
 */
export class ConfigFile {
  private writing: Promise<void> = Promise.resolve()
  private queued: Promise<void> | undefined
  private retry: Timer | undefined
  private stopped = false
  /** What was read is the text before the last change. */
  hasReadBackup = false

  constructor(private readonly options: ConfigFileOptions) {}

  get path(): string {
    return this.options.path
  }

  /**
   * Reads the file, or its `.bak`. False when there is neither, which is no error.
   * @throws MQError ERR_CONFIG_FILE when what is there cannot be read: to go on would forget it.
   */
  load(): boolean {
    const { path, logger } = this.options
    const backup = `${path}.bak`
    const failure = this.tryLoad(path)
    if (failure === undefined) return true
    const backupFailure = this.tryLoad(backup)
    if (backupFailure === undefined) {
      this.hasReadBackup = true
      if (failure !== 'missing') this.setAside()
      logger.warn(
        { event: 'config-backup-used', path, reason: failure },
        `${path} is ${failure}: read ${backup} instead`,
      )
      return true
    }
    const damaged = failure !== 'missing' ? path : backupFailure !== 'missing' ? backup : undefined
    if (damaged === undefined) return false
    if (failure === 'empty' && backupFailure === 'missing') {
      logger.warn({ event: 'config-file-empty', path }, `${path} is empty and has no .bak: starting without it`)
      return false
    }
    throw new MQError(
      'ERR_CONFIG_FILE',
      `${damaged} is ${failure === 'missing' ? backupFailure : failure}, and there is no good copy of it: ` +
        'restore it from a backup, or move it away to start without what it held',
    )
  }

  /** Writes what is there now, or joins the write that is about to begin. @throws MQError ERR_CONFIG_FILE */
  save(): Promise<void> {
    this.queued ??= this.writing
      .catch(() => undefined)
      .then(() => {
        this.queued = undefined
        this.writing = this.write()
        return this.writing
      })
    return this.queued
  }

  /** Writes in the background; a failure is logged and tried again. */
  saveSoon(): void {
    if (this.queued !== undefined) return
    this.save().catch((error: unknown) => {
      const { logger, path, clock } = this.options
      logger.error({ event: 'config-file-not-written', path, err: error }, errorText(error))
      if (this.stopped) return
      this.retry ??= clock.after(RETRY_MS, () => {
        this.retry = undefined
        this.saveSoon()
      })
    })
  }

  /** Writes once more and ends; failures are logged. */
  async stop(): Promise<void> {
    this.stopped = true
    this.retry?.cancel()
    this.saveSoon()
    await this.save().catch(() => undefined)
  }

  /** What is wrong with a file; undefined when it has been taken over. */
  private tryLoad(path: string): string | undefined {
    if (!existsSync(path)) return 'missing'
    const text = readFileSync(path, 'utf8')
    if (text.trim() === '') return 'empty'
    try {
      this.options.decode(text)
      return undefined
    } catch (error) {
      return `not readable (${errorText(error)})`
    }
  }

  /** Keeps a damaged file for whoever looks into it, out of the way of the next write. */
  private setAside(): void {
    renameSync(this.options.path, `${this.options.path}.damaged`)
  }

  private async write(): Promise<void> {
    const { path } = this.options
    const temporary = `${path}.tmp`
    try {
      makeFolders(dirname(path))
      await this.writeTo(temporary)
      await keepBackup(path)
      await fs.rename(temporary, path)
      await syncFolder(dirname(path))
    } catch (error) {
      const text = `${path} could not be written: ${errorText(error)}. Changes are kept in memory only until it can be`
      throw new MQError('ERR_CONFIG_FILE', text, { cause: error })
    }
  }

  private async writeTo(path: string): Promise<void> {
    const file = await fs.open(path, 'w')
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      let filled = 0
      let sliceStart = performance.now()
      for (const piece of this.options.encode()) {
        const needed = piece.length * MOST_BYTES_PER_CHAR
        const isFull = filled > 0 && filled + needed > CHUNK_BYTES
        if (isFull || performance.now() - sliceStart >= SLICE_MS) {
          // nothing to write is written in no time
          if (filled === 0) await nextTurn()
          else await file.appendFile(chunk.subarray(0, filled))
          filled = 0
          sliceStart = performance.now()
        }
        if (needed > CHUNK_BYTES) await file.appendFile(piece)
        else filled += chunk.write(piece, filled)
      }
      await file.appendFile(chunk.subarray(0, filled))
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** Makes the present text the `.bak`, without a moment at which the file is missing. */
async function keepBackup(path: string): Promise<void> {
  const backup = `${path}.bak`
  if (!existsSync(path)) return
  await fs.rm(backup, { force: true })
  // some file systems know no hard links
  await fs.link(path, backup).catch(() => fs.copyFile(path, backup))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
