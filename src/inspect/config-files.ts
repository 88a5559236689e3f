import { basename } from 'node:path'
import { type JsonValue, parseFastJson } from '../common/index.js'
import { errorText } from '../util/index.js'
import type { StoreDirectory } from './store-directory.js'

/** JSON without the ending. */
const OTHER_JSON = ['timermetrics', 'transactionMetrics']

export interface ConfigFileContent {
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly isBackup: boolean
  readonly content?: JsonValue
  /** Why there is no content. */
  readonly problem?: string
}

/** The JSON files of `config`, and with `backups` their copies of before the last change. */
export function readConfigFiles(directory: StoreDirectory, backups: boolean): ConfigFileContent[] {
  const { disk } = directory
  return disk
    .list(directory.path('config'))
    .filter(({ name, isFolder }) => !isFolder && isJson(name) && (backups || !name.endsWith('.bak')))
    .map(({ name }) => readConfigFile(directory, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function isJson(name: string): boolean {
  const plain = basename(name, '.bak')
  return plain.endsWith('.json') || OTHER_JSON.includes(plain)
}

function readConfigFile(directory: StoreDirectory, name: string): ConfigFileContent {
  const path = directory.path('config', name)
  const stat = directory.disk.stat(path)
  const file = {
    name,
    path,
    bytes: stat?.length ?? 0,
    modifiedMs: Math.trunc(stat?.modifiedMs ?? 0),
    isBackup: name.endsWith('.bak'),
  }
  const text = directory.disk.readWhole(path)?.toString('utf8')
  if (text === undefined) return { ...file, problem: 'the file is gone' }
  if (text.trim() === '') return { ...file, problem: 'the file is empty' }
  try {
    return { ...file, content: parseFastJson(text) }
  } catch (error) {
    return { ...file, problem: errorText(error) }
  }
}
