import { type Disk, type DiskLock, MQError } from '../util/index.js'
import type { StoreFolders } from './store-folders.js'

/** Takes the lock of a store. Throws MQError `ERR_STORE_LOCKED` that names who holds it. */
export function lockStore(disk: Disk, folders: StoreFolders): DiskLock {
  const lock = disk.lock(folders.lock)
  if (lock !== undefined) return lock
  const pid = disk.readWhole(folders.abort)?.toString().trim()
  const owner = pid === undefined || pid === '' ? 'another process' : `the process with pid ${pid}`
  throw new MQError(
    'ERR_STORE_LOCKED',
    `the store folder ${folders.root} is in use by ${owner}: stop that broker, or choose another folder ` +
      '(storePathRootDir, or --store)',
  )
}
