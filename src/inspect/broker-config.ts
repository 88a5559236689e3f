import { readFileSync, realpathSync } from 'node:fs'
import { StoreFolders } from '../store/index.js'
import { decodeProperties, errorText, MQError, readProperties } from '../util/index.js'

/**
 * The folders of the commit log that a broker's configuration file says for the store at `root`.
 * @throws MQError ERR_BROKER_CONFIG when it cannot be read, or is about another store
 */
export function configuredLogFolders(configFile: string, root: string): string[] {
  const settings = readProperties(textOf(configFile))
  const folders = new StoreFolders({
    storePathRootDir: settings.get('storePathRootDir')?.trim() || root,
    storePathCommitLog: settings.get('storePathCommitLog') ?? '',
    readOnlyCommitLogStorePaths: settings.get('readOnlyCommitLogStorePaths') ?? '',
  })
  if (realPath(folders.root) !== realPath(root)) {
    const text = `${configFile} is about the store ${folders.root}, not ${root}`
    throw new MQError('ERR_BROKER_CONFIG', `${text}: name that one, or the folders of the log with --commitlog`)
  }
  return [...new Set([...folders.commitLog, ...folders.readOnlyCommitLog])]
}

function textOf(configFile: string): string {
  try {
    return decodeProperties(readFileSync(configFile)).text
  } catch (error) {
    const text = `the configuration file ${configFile} cannot be read: ${errorText(error)}`
    throw new MQError('ERR_BROKER_CONFIG', text, { cause: error })
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // that it is not there is said when the store is opened
    return path
  }
}
