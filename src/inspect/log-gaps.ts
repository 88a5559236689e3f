import { type SegmentFile, type StoreDirectory, usualLength } from './store-directory.js'

/** A part of the log for which there are no files, between files. */
export interface LogGap {
  /** The file in front of it. */
  readonly file: SegmentFile
  readonly from: number
  readonly to: number
}

/** What to do when files are missing: a log over several disks, read from one, has every other file or so. */
export const SEVERAL_FOLDERS_HINT =
  'files of the log are missing. It may lie in several folders (storePathCommitLog, readOnlyCommitLogStorePaths): ' +
  'name all of them with --commitlog, or the configuration file of the broker with --config'

/** Bytes of a file. Names tell it too: files follow each other without a gap. */
export function logFileSize(log: readonly SegmentFile[]): number {
  const steps = log.slice(1).map((file, i) => ({ length: file.startOffset - log[i]!.startOffset }))
  return usualLength([...log, ...steps].filter(({ length }) => length > 0))
}

export function logGaps({ log }: StoreDirectory): LogGap[] {
  const size = logFileSize(log)
  return log.slice(1).flatMap(({ startOffset: to }, i) => {
    const file = log[i]!
    const from = file.startOffset + size
    return to > from ? [{ file, from, to }] : []
  })
}
