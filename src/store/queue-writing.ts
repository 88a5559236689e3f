import type { Disk, FilePiece } from '../util/index.js'
import type { ConsumeQueue } from './consume-queue.js'
import type { ConsumeQueueChunk } from './consume-queue-chunk.js'
import type { QueueReach } from './consume-queue-types.js'

/** Writes under way at once: the pool must have room for the commit log's flush. */
const WRITERS = 2
/** From so many queues on their units are handed over together. */
const MANY_QUEUES = 500
const PIECES_AT_ONCE = 512
/** Of one queue in one write: a megabyte, below what a system call takes. */
const PARTS_AT_ONCE = 64

/** What a queue's files lack, as it was when a write began. */
export interface UnwrittenUnits {
  readonly reached: QueueReach
  readonly parts: readonly UnwrittenPart[]
}

export interface UnwrittenPart {
  readonly chunk: ConsumeQueueChunk
  /** Bytes of the chunk. */
  readonly from: number
  readonly to: number
}

export const bytesOf = ({ chunk, from, to }: UnwrittenPart): Buffer => chunk.bytes(from, to)
export const positionOf = ({ chunk, from }: UnwrittenPart): number => chunk.start + from

/** The parts in groups that one write takes: neighbours in one file, which starts at what `startOf` says. */
export function neighbours(
  parts: readonly UnwrittenPart[],
  startOf: (position: number) => number,
): readonly (readonly UnwrittenPart[])[] {
  const groups: UnwrittenPart[][] = []
  let end = -1
  for (const part of parts) {
    const position = positionOf(part)
    const group = groups.at(-1)
    const isNext = position === end && startOf(position) === startOf(position - 1)
    if (group !== undefined && isNext && group.length < PARTS_AT_ONCE) group.push(part)
    else groups.push([part])
    end = part.chunk.start + part.to
  }
  return groups
}

/**
 * Brings the units of queues to their files, off the loop; `onWritten` is told of each queue that succeeded. The
 * answer is what failed last; those queues are dirty again.
 */
export async function writeQueues(
  queues: readonly ConsumeQueue[],
  disk: Disk,
  onWritten: (queue: ConsumeQueue) => void,
): Promise<unknown> {
  const { writeMany } = disk
  let alone = queues
  let failure: unknown
  if (queues.length >= MANY_QUEUES && writeMany !== undefined) {
    alone = queues.filter(queue => !queue.canWriteTogether)
    failure = await writeTogether(
      queues.filter(queue => queue.canWriteTogether),
      writeMany,
      onWritten,
    )
  }
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < alone.length) {
      const queue = alone[next++]!
      try {
        await queue.writeOut()
        onWritten(queue)
      } catch (error) {
        failure = error
      }
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return failure
}

async function writeTogether(
  queues: readonly ConsumeQueue[],
  writeMany: NonNullable<Disk['writeMany']>,
  onWritten: (queue: ConsumeQueue) => void,
): Promise<unknown> {
  let failure: unknown
  for (let next = 0; next < queues.length; ) {
    const taken: { queue: ConsumeQueue; units: UnwrittenUnits }[] = []
    const pieces: FilePiece[] = []
    while (next < queues.length && pieces.length < PIECES_AT_ONCE) {
      const queue = queues[next++]!
      const units = queue.takeUnwritten()
      taken.push({ queue, units })
      for (const part of units.parts) pieces.push(queue.pieceFor(part))
    }
    // a write under way when a delete wants to begin is waited for: nothing of this changes meanwhile
    const errors = await writeMany(pieces).catch((error: unknown) => pieces.map(() => error))
    let at = 0
    for (const { queue, units } of taken) {
      const error = errors.slice(at, at + units.parts.length).find(found => found !== undefined)
      at += units.parts.length
      if (error === undefined) {
        queue.noteWritten(units)
        onWritten(queue)
      } else {
        queue.markDirty()
        failure = error
      }
    }
  }
  return failure
}
