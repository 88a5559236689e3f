import { createHash } from 'node:crypto'
import type { MessageQueue } from '../../common/index.js'
import { queueText } from '../pull-message.js'

/** What a strategy decides from: the same lists, in the same order, in every member of the group. */
export interface Allocation {
  group: string
  /** The member that asks. */
  clientId: string
  /** All readable queues of a topic, in Java's order. */
  queues: readonly MessageQueue[]
  /** All members of the group, sorted by UTF-16 units. */
  clientIds: readonly string[]
}

/** Shares the queues of a topic among the members of a group. All members must use the same. */
export interface AllocateStrategy {
  /** Java's name, which is shown by tools. */
  readonly name: string
  allocate(allocation: Allocation): MessageQueue[]
}

/** Neighbouring queues to each member; the first members get one more when it does not come out even. */
export const allocateAveragely: AllocateStrategy = {
  name: 'AVG',
  allocate({ queues, clientIds, clientId }) {
    const index = clientIds.indexOf(clientId)
    if (index < 0) return []
    const rest = queues.length % clientIds.length
    const each = Math.floor(queues.length / clientIds.length)
    const size = queues.length <= clientIds.length ? 1 : index < rest ? each + 1 : each
    const start = rest > 0 && index < rest ? index * size : index * size + rest
    return queues.slice(start, start + size)
  },
}

/** Queues are dealt out like cards. */
export const allocateByCircle: AllocateStrategy = {
  name: 'AVG_BY_CIRCLE',
  allocate({ queues, clientIds, clientId }) {
    const index = clientIds.indexOf(clientId)
    return index < 0 ? [] : queues.filter((_, i) => i % clientIds.length === index)
  },
}

/** Always these queues, whoever else is there. */
export function allocateByConfig(queues: readonly MessageQueue[]): AllocateStrategy {
  return { name: 'CONFIG', allocate: () => [...queues] }
}

const VIRTUAL_NODES = 10

/** A member that comes or goes moves few queues between the others. */
export const allocateByConsistentHash: AllocateStrategy = {
  name: 'CONSISTENT_HASH',
  allocate({ queues, clientIds, clientId }) {
    if (!clientIds.includes(clientId)) return []
    const ring = clientIds
      .flatMap(id => Array.from({ length: VIRTUAL_NODES }, (_, k) => ({ id, hash: ringHash(`${id}-${k}`) })))
      .sort((a, b) => a.hash - b.hash)
    return queues.filter(queue => {
      const hash = ringHash(queueText(queue))
      return (ring.find(node => node.hash >= hash) ?? ring[0]!).id === clientId
    })
  },
}

function ringHash(key: string): number {
  return createHash('md5').update(key).digest().readUInt32BE(0)
}
