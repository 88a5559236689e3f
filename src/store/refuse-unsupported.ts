import { MQError } from '../util/index.js'
import type { StoreSettings } from './settings.js'
import type { StoreFolders } from './store-folders.js'

/** Ends the start with MQError `ERR_STORE_UNSUPPORTED` where going on would read or write a store wrongly. */
export function refuseUnsupported(settings: StoreSettings, folders: StoreFolders): void {
  if (settings.duplicationEnable) {
    throw new MQError(
      'ERR_STORE_UNSUPPORTED',
      'duplicationEnable=true hands the numbering of messages, and the decision when they may be read, to another ' +
        'program, which no release of RocketMQ has: set it to false',
    )
  }
  if (folders.commitLog.every(folder => folders.readOnlyCommitLog.includes(folder))) {
    throw new MQError(
      'ERR_NO_FOLDER',
      'every folder of storePathCommitLog is in readOnlyCommitLogStorePaths too: no file of the log can be made',
    )
  }
}
