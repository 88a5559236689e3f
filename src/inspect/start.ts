import { once } from 'node:events'
import { runInspect } from './main.js'
import type { Sink } from './output.js'

/** `bin/mqstore`. */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // whoever reads has seen enough, as in `mqstore log | head`
      if (error.code === 'EPIPE') process.exit()
      throw error
    })
  }
  const io = {
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    isTerminal: process.stderr.isTTY === true,
  }
  process.exitCode = await runInspect(argv, io)
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  return {
    async write(text) {
      if (!stream.write(text)) await once(stream, 'drain')
    },
  }
}
