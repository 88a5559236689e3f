import { type IndexFileShape, indexFileLength } from '../store/index.js'
import type { DiskFile } from '../util/index.js'
import { FileWindow } from './file-window.js'

/*
 * An index file does not say how many slots it has. Its items do: the slot that the hash of an item picks leads, from
 * item to item, to that item, and for a wrong number of slots it does not.
 */

const HEADER = 40
const SLOT = 4
const ITEM = 20
const DEFAULT_SHAPE: IndexFileShape = { slots: 5_000_000, items: 20_000_000 }
/** Places tried as the first item, and items looked at for each. */
const MOST_CANDIDATES = 256
const SAMPLE = 64
const LONGEST_CHAIN = 100_000

/** How many slots and items a file has; undefined when its content does not show it. */
export async function findIndexShape(file: DiskFile, slots?: number): Promise<IndexFileShape | undefined> {
  if (slots !== undefined) return shapeOf(file, slots)
  if (file.length === indexFileLength(DEFAULT_SHAPE)) return DEFAULT_SHAPE
  const header = Buffer.alloc(HEADER)
  await file.read(header, 0)
  const itemCount = header.readInt32BE(36) - 1
  let best: { slots: number; score: number } | undefined
  for (const candidate of await candidates(file, itemCount)) {
    const score = await scoreOf(file, candidate)
    if (score > 0.5 && score > (best?.score ?? 0)) best = { slots: candidate, score }
  }
  if (best !== undefined) return shapeOf(file, best.slots)
  // without items any number will do
  return itemCount <= 0 ? shapeOf(file, Math.max(1, Math.floor((file.length - HEADER) / (SLOT + ITEM)))) : undefined
}

function shapeOf(file: DiskFile, slots: number): IndexFileShape {
  return { slots, items: Math.max(0, Math.floor((file.length - HEADER - slots * SLOT) / ITEM)) }
}

/** Numbers of slots that put something like items where items would be. */
async function candidates(file: DiskFile, itemCount: number): Promise<number[]> {
  const found: number[] = []
  // of a few items one may be damaged; a single used slot among empty ones looks like one item, not like several
  const looked = Math.max(1, Math.min(4, itemCount))
  const needed = Math.max(1, looked - 1)
  const window = new FileWindow(file)
  // item 0 is never used: what comes in front of the first item is 20 zero bytes, or nearly so when damaged
  for (let at = HEADER + SLOT + ITEM; at + ITEM * looked <= file.length && found.length < MOST_CANDIDATES; at += SLOT) {
    if (at - ITEM < window.start || window.available(at) < ITEM * looked) await window.fill(at - ITEM)
    const rel = at - window.start
    if (zeroBytes(window, rel - ITEM, ITEM) < ITEM - 1) continue
    let likely = 0
    for (let i = 0; i < looked; i++) if (looksLikeItem(window, rel + i * ITEM, i + 1)) likely++
    if (likely >= needed) found.push((at - ITEM - HEADER) / SLOT)
  }
  return found
}

function zeroBytes(window: FileWindow, at: number, length: number): number {
  let zeros = 0
  for (let i = at; i < at + length; i++) if (window.buffer[i] === 0) zeros++
  return zeros
}

function looksLikeItem({ view }: FileWindow, at: number, number: number): boolean {
  const hash = view.getInt32(at)
  const previous = view.getInt32(at + 16)
  return hash > 0 && view.getInt32(at + 4) >= 0 && view.getInt32(at + 12) >= 0 && previous >= 0 && previous < number
}

/** Which part of a sample of items is found by its hash. */
async function scoreOf(file: DiskFile, slots: number): Promise<number> {
  const int = Buffer.alloc(4)
  const readInt = async (position: number): Promise<number> => {
    int.fill(0)
    await file.read(int, position)
    return int.readInt32BE(0)
  }
  const itemAt = (item: number): number => HEADER + slots * SLOT + item * ITEM
  const isFound = async (item: number): Promise<boolean> => {
    const hash = await readInt(itemAt(item))
    if (hash <= 0) return false
    let at = await readInt(HEADER + (hash % slots) * SLOT)
    for (let steps = 0; at > item && steps < LONGEST_CHAIN; steps++) {
      const previous = await readInt(itemAt(at) + 16)
      if (previous >= at) return false
      at = previous
    }
    return at === item
  }
  let sampled = 0
  let found = 0
  for (; sampled < SAMPLE && (await readInt(itemAt(sampled + 1))) !== 0; sampled++) {
    if (await isFound(sampled + 1)) found++
  }
  return sampled === 0 ? 0 : found / sampled
}
