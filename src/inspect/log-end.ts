import { type LogEnd, LogScanner } from './log-scanner.js'
import type { StoreDirectory } from './store-directory.js'

/** Where the log ends: reads the last file that holds something, from its begin. */
export async function findLogEnd(directory: StoreDirectory, onProgress?: (bytes: number) => void): Promise<LogEnd> {
  const from = await startOfLastUsed(directory)
  const options = { directory, from, visitor: { record: () => {} } }
  return new LogScanner(onProgress === undefined ? options : { ...options, onProgress }).run()
}

async function startOfLastUsed({ log, disk }: StoreDirectory): Promise<number> {
  const head = Buffer.alloc(8)
  for (const file of log.toReversed()) {
    const open = await disk.open(file.path)
    try {
      head.fill(0)
      await open.read(head, 0)
      if (head.some(byte => byte !== 0)) return file.startOffset
    } finally {
      open.close()
    }
  }
  return 0
}
