import type { Disk } from '../util/index.js'
import type { StoreSettings } from './settings.js'

/** How full the disk of a folder is: 0 to 1, whole percents rounded up; 1 when the disk cannot say. */
export function usedRatio(disk: Disk, folder: string): number {
  try {
    const { usedBytes, usableBytes } = disk.usage(folder)
    const total = usedBytes + usableBytes
    return total === 0 ? 0 : Math.ceil((usedBytes * 100) / total) / 100
  } catch {
    // a disk that is gone or broken takes nothing: making a file there says why
    return 1
  }
}

/** Above it messages are refused. */
export function warningRatio({ diskSpaceWarningLevelRatio }: StoreSettings): number {
  return clamp(diskSpaceWarningLevelRatio, 35, 90) / 100
}

/** Above it files go whatever their age, and other folders of the commit log take the next file. */
export function forcibleRatio({ diskSpaceCleanForciblyRatio }: StoreSettings): number {
  return clamp(diskSpaceCleanForciblyRatio, 30, 85) / 100
}

/** Above it old files go at any hour. */
export function maxUsedRatio({ diskMaxUsedSpaceRatio }: StoreSettings): number {
  return clamp(diskMaxUsedSpaceRatio, 10, 95) / 100
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high))
}
