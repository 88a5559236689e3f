import { parentPort, workerData } from 'node:worker_threads'
import { pull } from './frames.mjs'
import { run } from './load.mjs'

/**
 * The reader of `cold-reads.mjs`, in a thread of its own: what it costs to take its answers shall not count as the
 * broker's. Reads the backlog from its start on, each lane its own queue.
 */
const { port, queues, perPull, seconds } = workerData
const offsets = new Array(queues).fill(0)
const request = lane => () => {
  const frame = pull({ topic: 'backlog', queue: lane, max: 32, offset: offsets[lane] })
  offsets[lane] += perPull
  return frame
}
parentPort.postMessage(await run({ port, connections: queues, window: 1, seconds, request }))
