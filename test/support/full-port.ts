import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { eventually } from './eventually.js'

const LISTENER = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    // nothing is accepted from now on
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`

/** A port of this machine whose queue of connections is full: a further one is neither taken nor refused. */
export async function fullPort(): Promise<{ address: string; close: () => Promise<unknown> }> {
  const worker = new Worker(LISTENER, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const taken: Socket[] = []
  const open = (): Socket => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    taken.push(socket)
    return socket
  }
  // a listener holds one connection more than its backlog says
  open()
  open()
  await eventually(() => taken.every(socket => socket.readyState === 'open'))
  return {
    address: `127.0.0.1:${port}`,
    close: () => {
      for (const socket of taken) socket.destroy()
      return worker.terminate()
    },
  }
}
