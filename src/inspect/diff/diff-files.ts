import { isJsonObject, type JsonValue } from '../../common/index.js'
import { readCheckpoint } from '../checkpoint-file.js'
import { type ConfigFileContent, readConfigFiles } from '../config-files.js'
import type { StoreDirectory } from '../store-directory.js'
import type { DifferenceList } from './difference.js'

const CHECKPOINT_FIELDS = [
  'physicMsgTimestamp',
  'logicsMsgTimestamp',
  'indexMsgTimestamp',
  'masterFlushedOffset',
  'confirmPhyOffset',
] as const
/** Counts changes of a file: differs whenever two brokers came to the same content on different ways. */
const IGNORED_KEY = 'dataVersion'

export function diffCheckpoint(a: StoreDirectory, b: StoreDirectory, list: DifferenceList): void {
  const ours = readCheckpoint(a)
  const theirs = readCheckpoint(b)
  for (const name of CHECKPOINT_FIELDS) {
    const [one, other] = [ours?.[name], theirs?.[name]]
    if (one !== other) list.add('checkpoint', name, one === undefined ? one : String(one), other?.toString())
  }
}

export function diffConfig(a: StoreDirectory, b: StoreDirectory, list: DifferenceList): void {
  const ours = new Map(readConfigFiles(a, false).map(file => [file.name, file]))
  const theirs = new Map(readConfigFiles(b, false).map(file => [file.name, file]))
  for (const name of [...new Set([...ours.keys(), ...theirs.keys()])].sort()) {
    const [one, other] = [ours.get(name), theirs.get(name)]
    if (one?.content === undefined || other?.content === undefined) {
      if (one?.problem !== other?.problem || (one === undefined) !== (other === undefined)) {
        list.add('config', name, stateOf(one), stateOf(other))
      }
      continue
    }
    diffValue(name, [one.content, other.content], list)
  }
}

function stateOf(file: ConfigFileContent | undefined): string | undefined {
  return file && (file.problem === undefined ? 'readable' : `not readable: ${file.problem}`)
}

function diffValue(
  where: string,
  [a, b]: readonly [JsonValue | undefined, JsonValue | undefined],
  list: DifferenceList,
): void {
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      if (key !== IGNORED_KEY) diffValue(`${where} ${key}`, [a[key], b[key]], list)
    }
    return
  }
  const [one, other] = [textOf(a), textOf(b)]
  if (one !== other) list.add('config', where, one, other)
}

function textOf(value: JsonValue | undefined): string | undefined {
  return value === undefined
    ? undefined
    : JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item))
}
