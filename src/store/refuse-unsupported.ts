import { join } from 'node:path'
import { type Disk, MQError } from '../util/index.js'
import type { StoreSettings } from './settings.js'
import type { StoreFolders } from './store-folders.js'

const unsupportedKeys = ['enableConsumeQueueExt', 'enableLmq', 'enableMultiDispatch', 'duplicationEnable'] as const

/** Ends the start with MQError `ERR_STORE_UNSUPPORTED` where going on would read or write a store wrongly. */
export function refuseUnsupported(settings: StoreSettings, disk: Disk, folders: StoreFolders): void {
  for (const key of unsupportedKeys) {
    if (settings[key]) throw new MQError('ERR_STORE_UNSUPPORTED', `${key}=true is not supported yet: set it to false`)
  }
  const extension = join(folders.root, 'consumequeue_ext')
  if (disk.list(extension).length > 0) {
    throw new MQError(
      'ERR_STORE_UNSUPPORTED',
      `${extension} holds consume queue extensions, which are not supported yet: move it and the folder consumequeue ` +
        'beside it away, and the queues are built again from the commit log without them',
    )
  }
}
