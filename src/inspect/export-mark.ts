import { isJsonObject, parseFastJson, readNumber, readString, stringifyFastJson } from '../common/index.js'
import { type Disk, errorText, MQError, systemDisk } from '../util/index.js'
import { readRecordAt } from './log-scanner.js'
import { describeRecord } from './message-json.js'
import type { StoreDirectory } from './store-directory.js'

/** How far an export has come. */
export interface ExportMark {
  /** Position in the log from which to go on. */
  readonly position: number
  readonly messages: number
  /** Bytes of the output that belong to it; what follows was written by a run that was cut short. */
  readonly outBytes: number
  /** What was asked for: going on with something else would leave holes. */
  readonly filter: string
  /** The last record that was read, to see that the store is the same. */
  readonly lastPosition: number
  readonly lastMsgId: string
}

/** The mark in a file; undefined when there is none. @throws MQError ERR_EXPORT_MARK when it is none */
export function readExportMark(path: string, disk: Disk = systemDisk): ExportMark | undefined {
  const text = disk.readWhole(path)?.toString('utf8')
  if (text === undefined) return undefined
  try {
    const value = parseFastJson(text)
    if (isJsonObject(value) && value.kind === 'mqstore-export') {
      return {
        position: readNumber(value.position, 0),
        messages: readNumber(value.messages, 0),
        outBytes: readNumber(value.outBytes, 0),
        filter: readString(value.filter, ''),
        lastPosition: readNumber(value.lastPosition, -1),
        lastMsgId: readString(value.lastMsgId, ''),
      }
    }
  } catch (error) {
    throw badMark(path, errorText(error))
  }
  throw badMark(path, 'it is another kind of file')
}

function badMark(path: string, reason: string): MQError {
  return new MQError('ERR_EXPORT_MARK', `${path} is no mark of an export: ${reason}; remove it to begin anew`)
}

/** Replaces the mark, so that a power cut leaves the old or the new one. */
export async function writeExportMark(path: string, mark: ExportMark, disk: Disk = systemDisk): Promise<void> {
  await disk.replaceWhole(path, Buffer.from(`${stringifyFastJson({ kind: 'mqstore-export', ...mark })}\n`))
}

/** @throws MQError ERR_EXPORT_MARK when the mark was made with another filter or another store */
export async function checkExportMark(
  mark: ExportMark,
  { path, filter, directory }: { path: string; filter: string; directory: StoreDirectory },
): Promise<void> {
  if (mark.filter !== filter) {
    throw new MQError(
      'ERR_EXPORT_MARK',
      `${path} was made with other filters (${mark.filter}): use the same ones, or another mark and output`,
    )
  }
  if (directory.logFileAt(mark.lastPosition) === undefined) return
  const record = await readRecordAt(directory, mark.lastPosition)
  if (record !== undefined && describeRecord(record).offsetMsgId === mark.lastMsgId) return
  throw new MQError(
    'ERR_EXPORT_MARK',
    `${path} was made with another store: ${mark.lastMsgId} is not at ${mark.lastPosition} of ${directory.root}`,
  )
}
