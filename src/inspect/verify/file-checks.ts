import { errorText } from '../../util/index.js'
import { readCheckpoint } from '../checkpoint-file.js'
import { readConfigFiles } from '../config-files.js'
import { logFileSize, logGaps, SEVERAL_FOLDERS_HINT } from '../log-gaps.js'
import type { LogEnd } from '../log-scanner.js'
import type { StoreDirectory } from '../store-directory.js'
import type { DamageReport } from './damage.js'
import type { LogDamage } from './log-damage.js'

const DAY_MS = 86_400_000
/** Before the first broker of this kind was written. */
const EARLIEST_MS = Date.UTC(2010, 0)

/** Lengths of the log's files, and files missing between them. */
export function checkLogFiles(directory: StoreDirectory, logDamage: LogDamage, report: DamageReport): void {
  const { log } = directory
  const usual = logFileSize(log)
  for (const [i, { path, startOffset, length }] of log.entries()) {
    if (length !== usual) {
      logDamage.add(startOffset + length, startOffset + usual, {
        file: path,
        position: length,
        end: usual,
        problem: `the file has ${length} bytes instead of ${usual}`,
        effect: 'brokers refuse to start; the messages of the missing part are lost',
      })
    }
    const next = log[i + 1]
    if (next?.startOffset === startOffset) {
      logDamage.add(startOffset, startOffset, {
        file: next.path,
        position: 0,
        problem: `it holds the same part of the log as ${path}`,
        effect: 'which of the two a broker reads is left to chance; move one away',
      })
    }
  }
  const gaps = logGaps(directory)
  for (const { file, from, to } of gaps) {
    logDamage.add(from, to, {
      file: file.path,
      position: usual,
      problem: `the log's part from ${from} to ${to - 1} is missing behind this file`,
      effect: 'the messages in it are lost',
    })
  }
  if (gaps.length > 0) report.note(SEVERAL_FOLDERS_HINT)
}

/** The last file of a log that ends right with a record, or within one, has been cut. */
export function checkLogEnd(end: LogEnd, hasBlank: boolean, report: DamageReport): void {
  if (end.file === undefined || end.tail !== 'end of file' || hasBlank) return
  report.add({
    part: 'commitlog',
    file: end.file.path,
    position: end.file.length,
    problem: 'the file ends with a record, where a broker always leaves room for the mark that ends a file',
    effect: 'the file has been cut: brokers refuse to start, and messages behind it may be lost',
  })
}

/** Every JSON file that a broker would read. */
export function checkConfig(directory: StoreDirectory, report: DamageReport): void {
  for (const { name, path, problem, isBackup } of readConfigFiles(directory, true)) {
    if (problem === undefined) continue
    if (problem === 'the file is empty' && isBackup) continue
    report.add({
      part: 'config',
      file: path,
      position: 0,
      problem: `it cannot be read: ${problem}`,
      effect: isBackup ? 'only the copy is lost' : `brokers use ${name}.bak instead, which is older`,
    })
  }
}

/** The checkpoint must fit the log. */
export function checkCheckpoint(
  directory: StoreDirectory,
  report: DamageReport,
  log: { end: number; lastStoreTimestamp: number },
): void {
  const add = (position: number, problem: string): void => {
    report.add({
      part: 'checkpoint',
      file: directory.path('checkpoint'),
      position,
      problem,
      effect: 'after a crash the start may look at too little of the log; delete the file to have it look at all of it',
    })
  }
  try {
    const found = readCheckpoint(directory)
    if (found === undefined) {
      if (directory.log.length > 0) report.note('there is no checkpoint: the next start looks at the whole log')
      return
    }
    for (const [i, name] of (['physicMsgTimestamp', 'logicsMsgTimestamp', 'indexMsgTimestamp'] as const).entries()) {
      const time = found[name]
      const isLate = log.lastStoreTimestamp > 0 && time > log.lastStoreTimestamp + DAY_MS
      if (time !== 0 && (time < EARLIEST_MS || isLate)) {
        add(i * 8, `${name} is ${time}, the last message was stored at ${log.lastStoreTimestamp}`)
      }
    }
    for (const [position, name] of [
      [24, 'masterFlushedOffset'],
      [32, 'confirmPhyOffset'],
    ] as const) {
      if (found[name] < 0 || found[name] > log.end)
        add(position, `${name} is ${found[name]}, the log ends at ${log.end}`)
    }
  } catch (error) {
    add(0, errorText(error))
  }
}
