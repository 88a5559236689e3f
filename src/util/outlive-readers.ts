import type { EventEmitter } from 'node:events'

/**
 * A reader of our output that has gone (`mqadmin topicList | head -1`, a log collector that died) ends neither a daemon
 * nor a command half-way: what is written from then on is dropped. Other errors of the streams stay errors.
 */
export function outliveReaders(...streams: readonly Pick<EventEmitter, 'on'>[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
