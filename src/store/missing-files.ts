import { type Disk, MQError } from '../util/index.js'
import type { DamageLog } from './damage.js'
import type { MappedFileQueue } from './mapped-file-queue.js'
import type { Manifest } from './queue-manifest.js'
import type { StoreFolders } from './store-folders.js'
import type { LogPart, StoreMarks } from './store-marks.js'

export interface MissingFilesOptions {
  files: MappedFileQueue
  manifest: Manifest | undefined
  marks: StoreMarks
  folders: StoreFolders
  disk: Disk
  damage: DamageLog
}

/**
 * Ends the start with MQError `ERR_STORE_INCOMPLETE` when files of the log are not there and one of its folders is
 * empty: a disk that is not mounted looks like that, and going on would give the numbers of its messages to others.
 * Files that are missing from folders with others in them were taken away: they are reported as damage, and noted, so
 * that they are no reason to refuse a later start.
 */
export function refuseMissingFiles(options: MissingFilesOptions): void {
  const { files, manifest, marks, folders, disk } = options
  const gaps = gapsOf(files, manifest?.logEnd ?? 0)
  const news = gaps.filter(gap => !marks.logGaps.some(known => known[0] <= gap[0] && gap[1] <= known[1]))
  const empty = news.length === 0 ? [] : emptyFolders(folders, disk)
  if (empty.length > 0) {
    const parts = news.map(([from, to]) => `${from} to ${to}`).join(', ')
    throw new MQError(
      'ERR_STORE_INCOMPLETE',
      `the commit log has no files for ${parts}, and ${empty.join(', ')} is empty: is its disk not mounted? ` +
        (files.first === undefined
          ? `To begin anew without the messages that were there, delete ${folders.manifest}`
          : 'To go on without these messages start once with that folder taken out of storePathCommitLog and ' +
            'readOnlyCommitLogStorePaths'),
    )
  }
  marks.logGaps = gaps
  for (const gap of gaps) report(gap, options)
}

function report([from, to]: LogPart, { files, damage }: MissingFilesOptions): void {
  const before = files.find(from - 1)
  const text = `the commit log has no files for ${from} to ${to}: the messages that were there are lost`
  // behind the last file new records are going to stand
  const isEnd = from === before?.endOffset && before === files.last
  const place = { physicalOffset: from, ...(before !== undefined && { path: before.path }) }
  damage.add(isEnd ? { kind: 'file', text, ...place } : { kind: 'record', text, length: to - from, ...place })
}

/** What lies between files, and what there was behind the last. */
function gapsOf({ files, fileSize }: MappedFileQueue, knownEnd: number): LogPart[] {
  const gaps: LogPart[] = []
  let end = files[0]?.startOffset ?? 0
  for (const file of files) {
    if (file.startOffset > end) gaps.push([end, file.startOffset])
    end = file.startOffset + fileSize
  }
  if (knownEnd > end) gaps.push([end, knownEnd])
  return gaps
}

function emptyFolders({ commitLog, readOnlyCommitLog }: StoreFolders, disk: Disk): string[] {
  const all = [...new Set([...commitLog, ...readOnlyCommitLog])]
  return all.filter(folder => !disk.list(folder).some(entry => !entry.isFolder && /^\d{20}$/.test(entry.name)))
}
