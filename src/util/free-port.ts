import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections, which would take one between the look and its use. */
const FIRST = 10_240
const END = 32_000

/** A port nobody listens on, nor two below it, where a broker's fast port goes. Rejects where none can be opened. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if ((await isFree(port)) && (await isFree(port - 2))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
