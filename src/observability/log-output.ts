import { openSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolders } from '../util/index.js'
import { LineWriter } from './line-writer.js'

/** Where log lines go. Never blocks: writing happens on the thread pool. */
export interface LogOutput {
  write(line: string): void
  /** Resolves when all lines are written, or after a second of somebody who does not read them. */
  drained(): Promise<void>
  /** Writes what waits, synchronously and without waiting long for anybody; for the end of the process. */
  flush(): void
}

/** Standard output (file descriptor 1). */
export function standardOutput(): LogOutput {
  return new LineWriter(1)
}

export interface LogFileOptions {
  file: string
  /** Size at which the file becomes `<file>.1`. */
  maxBytes: number
  /** How many such files stay: `<file>.1` is the youngest. */
  keep: number
}

/** A file that is put aside when it has grown. Lines written while that happens go to one of the two files. */
export function rotatingFile({ file, maxBytes, keep }: LogFileOptions): LogOutput {
  makeFolders(dirname(file))
  const output = new LineWriter(openSync(file, 'a'))
  // What an earlier process wrote counts, too.
  let writtenBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  let rotating = false

  const rotate = async (): Promise<void> => {
    try {
      await rm(`${file}.${keep}`, { force: true })
      for (let i = keep - 1; i >= 1; i--) await renameIfThere(`${file}.${i}`, `${file}.${i + 1}`)
      if (keep > 0) await renameIfThere(file, `${file}.1`)
      else await rm(file, { force: true })
      await output.reopen(file)
    } catch (error) {
      // The log goes on in the grown file; saying so there is all that can be done.
      output.write(`the log file could not be put aside: ${String(error)}\n`)
    } finally {
      writtenBytes = 0
      rotating = false
    }
  }
  return {
    write(line) {
      output.write(line)
      writtenBytes += Buffer.byteLength(line)
      if (writtenBytes < maxBytes || rotating) return
      rotating = true
      void rotate()
    },
    drained: () => output.drained(),
    flush: () => output.flush(),
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
