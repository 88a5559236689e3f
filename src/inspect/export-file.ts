import * as fs from 'node:fs/promises'
import { errorText, MQError } from '../util/index.js'
import type { ExportOutput } from './exporter.js'

/** A file that an export writes to. */
export interface ExportFile extends ExportOutput {
  close(): Promise<void>
}

/**
 * Opens the output. Without `keep` it must not exist yet; with it, that many bytes are kept and what follows, written
 * by a run that was cut short, goes.
 * @throws MQError ERR_EXPORT_OUTPUT
 */
export async function openExportFile(path: string, keep: number | undefined): Promise<ExportFile> {
  const file = await fs.open(path, keep === undefined ? 'wx' : 'r+').catch((error: unknown) => {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const text = isThere
      ? `${path} is there already, without a mark to go on from: remove it, or name another file`
      : `${path} cannot be written: ${errorText(error)}`
    throw new MQError('ERR_EXPORT_OUTPUT', text, { cause: error })
  })
  const length = (await file.stat()).size
  if (keep !== undefined && length < keep) {
    await file.close()
    const text = `${path} has ${length} bytes, its mark says ${keep}: remove both to begin anew`
    throw new MQError('ERR_EXPORT_OUTPUT', text)
  }
  if (keep !== undefined) await file.truncate(keep)
  let position = keep ?? 0
  return {
    async write(text) {
      const bytes = Buffer.from(text)
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
      }
      position += bytes.length
    },
    sync: () => file.datasync(),
    close: () => file.close(),
  }
}
