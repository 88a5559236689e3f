import { keyHashOf } from '../store/index.js'
import { IndexReader } from './index-reader.js'
import type { LogRecord } from './log-record.js'
import { readRecordAt } from './log-scanner.js'
import { RecordFacts } from './record-facts.js'
import type { StoreDirectory } from './store-directory.js'

export interface KeyLookUp {
  topic: string
  /** One of the KEYS of a message, or its UNIQ_KEY. */
  key: string
  hashSlots?: number | undefined
  /** At most so many; default 64, as brokers have it. */
  max?: number
}

/** The messages with a key, by the index, oldest first; those that only share its hash are left out. */
export async function lookUpKey(directory: StoreDirectory, lookUp: KeyLookUp): Promise<LogRecord[]> {
  const { topic, key, hashSlots, max = 64 } = lookUp
  const hash = keyHashOf(topic, key)
  const positions = new Set<number>()
  for (const name of directory.indexFileNames().reverse()) {
    const reader = await IndexReader.open(directory, name, hashSlots)
    const file = reader.forLookUp(directory.disk)
    try {
      const found = await file.query(hash, Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER)
      for (const position of found) positions.add(position)
    } finally {
      file.close()
      reader.close()
    }
  }
  const facts = new RecordFacts()
  const records: LogRecord[] = []
  for (const position of [...positions].sort((a, b) => a - b)) {
    const record = await readRecordAt(directory, position)
    if (record === undefined) continue
    facts.of(record)
    if (facts.topic === topic && facts.keys.includes(key)) records.push(record)
    if (records.length >= max) break
  }
  return records
}
