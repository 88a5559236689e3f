import { IndexReader } from '../index-reader.js'
import type { StoreDirectory } from '../store-directory.js'
import type { DifferenceList } from './difference.js'

interface Entry {
  readonly keyHash: number
  readonly physicalOffset: number
}

/** Compares what the indexes lead to, whatever files it is in. */
export async function diffIndex(
  a: StoreDirectory,
  b: StoreDirectory,
  { list, hashSlots }: { list: DifferenceList; hashSlots: number | undefined },
): Promise<void> {
  const logMin = Math.max(a.log[0]?.startOffset ?? 0, b.log[0]?.startOffset ?? 0)
  const ours = entries(a, logMin, hashSlots)[Symbol.asyncIterator]()
  const theirs = entries(b, logMin, hashSlots)[Symbol.asyncIterator]()
  let one = await ours.next()
  let other = await theirs.next()
  while (!one.done || !other.done) {
    const order = one.done ? 1 : other.done ? -1 : compare(one.value, other.value)
    if (order !== 0) {
      const found: Entry = order < 0 ? one.value : other.value
      const text = `key hash ${found.keyHash}`
      list.add('index', `log ${found.physicalOffset}`, order < 0 ? text : undefined, order > 0 ? text : undefined)
    }
    if (order <= 0) one = await ours.next()
    if (order >= 0) other = await theirs.next()
  }
}

function compare(a: Entry, b: Entry): number {
  return a.physicalOffset - b.physicalOffset || a.keyHash - b.keyHash
}

/** Items by the record they lead to; those of one record by hash. */
async function* entries(directory: StoreDirectory, logMin: number, hashSlots?: number): AsyncIterable<Entry> {
  let same: Entry[] = []
  for (const name of directory.indexFileNames()) {
    const reader = await IndexReader.open(directory, name, hashSlots)
    const count = await reader.usedItems()
    for (let number = 1; number <= count; number++) {
      const item = await reader.item(number)
      if (item === undefined || item.physicalOffset < logMin) continue
      if (same.length > 0 && same[0]!.physicalOffset !== item.physicalOffset) {
        yield* same.sort(compare)
        same = []
      }
      same.push(item)
    }
    reader.close()
  }
  yield* same.sort(compare)
}
