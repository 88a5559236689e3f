import { statfs } from 'node:fs/promises'
import type { BrokerContext } from '../../context.js'

/** Java's answer where there is no transient store pool. */
const NO_POOL = 2 ** 31 - 1
const UNITS = 'KMGTPE'
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** The keys of the runtime info about the files of the store. */
export async function storeState({
  store,
  stats,
  clock,
}: Pick<BrokerContext, 'store' | 'stats' | 'clock'>): Promise<[string, string][]> {
  const { log, folders } = store
  const ratios = store.retention.ratios()
  const root = await space(folders.root)
  const perFolder: [string, string][] = []
  for (const folder of folders.commitLog) {
    perFolder.push([`commitLogDiskRatio_${folder}`, String((await space(folder)).ratio)])
  }
  return [
    ['bootTimestamp', String(stats.bootTimestamp)],
    ['runtime', runtimeText(clock.now() - stats.bootTimestamp)],
    // units are queued in the turn of the append
    ['dispatchMaxBuffer', '0'],
    ['dispatchBehindBytes', String(Math.max(0, log.maxOffset - store.confirmOffset))],
    ...perFolder,
    ['commitLogDiskRatio', String(ratios.commitLog)],
    ['consumeQueueDiskRatio', String(ratios.consumeQueue)],
    ['commitLogMinOffset', String(log.minOffset)],
    ['commitLogMaxOffset', String(log.maxOffset)],
    ['earliestMessageTimeStamp', String(await store.queries.storeTimeOf(log.minOffset))],
    ['remainTransientStoreBufferNumbs', String(NO_POOL)],
    ['remainHowManyDataToFlush', bytesText(Math.max(0, log.maxOffset - store.flushedOffset))],
    ['commitLogDirCapacity', `Total : ${bytesText(root.total)}, Free : ${bytesText(root.free)}.`],
  ]
}

interface Space {
  total: number
  free: number
  /** Used part of what this process could have, in whole percents rounded up; -1 without the folder. */
  ratio: number
}

async function space(folder: string): Promise<Space> {
  const found = await statfs(folder).catch(() => undefined)
  if (found === undefined) return { total: 0, free: 0, ratio: -1 }
  const { bsize, blocks, bfree, bavail } = found
  const used = blocks - bfree
  return { total: blocks * bsize, free: bfree * bsize, ratio: Math.ceil((used * 100) / (used + bavail)) / 100 }
}

/** Units of 1024, one decimal, as Java writes them. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const power = Math.min(UNITS.length, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power - 1]}iB`
}

export function runtimeText(elapsedMs: number): string {
  const part = (unitMs: number, within: number): string =>
    Math.floor((elapsedMs % within) / unitMs).toLocaleString('en-US')
  const days = part(DAY_MS, Number.POSITIVE_INFINITY)
  const hours = part(HOUR_MS, DAY_MS)
  const minutes = part(MINUTE_MS, HOUR_MS)
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${part(1000, MINUTE_MS)} seconds ]`
}
