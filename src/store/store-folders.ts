import { join, normalize } from 'node:path'
import type { StoreSettings } from './settings.js'

/** Joins several folders in one setting, as in Java. */
const PATH_SEPARATOR = ','

export type FolderSettings = Pick<
  StoreSettings,
  'storePathRootDir' | 'storePathCommitLog' | 'readOnlyCommitLogStorePaths'
>

/** Where the files of a store are. */
export class StoreFolders {
  readonly root: string
  readonly commitLog: readonly string[]
  readonly readOnlyCommitLog: readonly string[]

  constructor(settings: FolderSettings) {
    this.root = settings.storePathRootDir
    const configured = split(settings.storePathCommitLog)
    this.commitLog = configured.length > 0 ? configured : [join(this.root, 'commitlog')]
    this.readOnlyCommitLog = split(settings.readOnlyCommitLogStorePaths)
  }

  get index(): string {
    return join(this.root, 'index')
  }

  get checkpoint(): string {
    return join(this.root, 'checkpoint')
  }

  /** There only while a broker runs, or after it ended out of order; holds its pid. */
  get abort(): string {
    return join(this.root, 'abort')
  }

  /** CometMQ's own files; the Java broker does not look there. */
  get own(): string {
    return join(this.root, 'cometmq')
  }

  get marks(): string {
    return join(this.own, 'marks')
  }

  get manifest(): string {
    return join(this.own, 'queues')
  }

  /** What the last start found: JSON, for the inspector. */
  get recoveryReport(): string {
    return join(this.own, 'recovery.json')
  }

  get lock(): string {
    return join(this.root, 'lock')
  }
}

function split(text: string): string[] {
  return text
    .split(PATH_SEPARATOR)
    .map(path => path.trim())
    .filter(path => path !== '')
    .map(path => normalize(path).replace(/(.)\/+$/, '$1'))
}
