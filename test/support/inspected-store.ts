import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreSettings } from '../../src/store/index.js'
import { runMqstore } from './run-mqstore.js'
import { createStore, message, scratchFolder } from './store.js'

export interface FoundDamage {
  part: string
  file: string
  position: number
  end?: number
  problem: string
  messages: { topic: string; queueId: number; queueOffset: number; physicalOffset?: number; uniqKey?: string }[]
  messageCount: number
}

/** 60 messages of two topics over several log files of 4 KB, and where each begins. */
export async function writtenStore(
  settings: Partial<StoreSettings> = {},
): Promise<{ root: string; positions: number[] }> {
  const root = scratchFolder()
  const store = createStore({ rootDir: root, settings: { mappedFileSizeCommitLog: 4096, ...settings } })
  await store.start()
  const positions: number[] = []
  for (let i = 0; i < 60; i++) {
    const properties = `TAGS\u0001Tag${i % 3}\u0002KEYS\u0001key${i} shared\u0002UNIQ_KEY\u0001U${i}\u0002`
    const body = Buffer.from(`body of message ${i}`)
    positions.push(store.append(message({ topic: `Topic${i % 2}`, queueId: 0, properties, body })).physicalOffset)
  }
  await store.shutdown()
  return { root, positions }
}

/** A copy to be damaged. */
export function copyOf(root: string): string {
  const copy = scratchFolder()
  cpSync(root, copy, { recursive: true })
  return copy
}

/** Changes bytes of one of a store's files. */
export function damage(root: string, name: string, change: (bytes: Buffer) => Buffer | undefined): string {
  const path = join(root, name)
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
  return path
}

export async function verify(
  root: string,
  ...more: string[]
): Promise<{ exitCode: number; damages: FoundDamage[]; notes: string[] }> {
  const { exitCode, lines, stderr } = await runMqstore('verify', root, '--json', ...more)
  if (lines[0]?.damages === undefined) throw new Error(`verify did not end: ${stderr}`)
  return { exitCode, damages: lines[0].damages as FoundDamage[], notes: lines[0].notes as string[] }
}
