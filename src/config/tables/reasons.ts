import { noEffect } from '../setting.js'

/** Reasons that many rows share. */
export const noThreads = noEffect('requests run on one event loop, there is no thread pool to size')
export const noQueues = noEffect('requests are handled as they arrive, no thread pool queue holds them')
export const noRocksDb = noEffect('there is no RocksDB here, the files are those of the default store')
export const noNetty = noEffect('it tunes Netty, and the sockets here are those of Node.js')
export const noSwap = noEffect('the Java release declares it and never reads it')
export const operatingSystem = noEffect('the size of socket buffers is left to the operating system')
