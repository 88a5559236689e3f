import { type Clock, systemClock } from '../../util/index.js'
import { findDaemons } from './find-daemons.js'
import { shutdown } from './shutdown.js'

/** `bin/mqshutdown`: see {@link shutdown}. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await shutdown(argv, {
    clock: awake,
    findDaemons,
    terminate: pid => void process.kill(pid, 'SIGTERM'),
    isRunning,
    stdout: text => void process.stdout.write(text),
    stderr: text => void process.stderr.write(text),
  })
}

/** The system's clock with a timer that keeps this short process alive while it waits. */
const awake: Clock = {
  ...systemClock,
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
