import { type Clock, errorText, sleep } from '../../util/index.js'

/** What the command touches of the machine; a test hands in its own. */
export interface ShutdownHost {
  readonly clock: Clock
  findDaemons(launcher: string): Promise<number[]>
  /** Sends SIGTERM; throws when that is not allowed. */
  terminate(pid: number): void
  isRunning(pid: number): boolean
  stdout(text: string): void
  stderr(text: string): void
}

/** The programs by the word given, with the name in Java's texts. */
const TARGETS: Readonly<Record<string, { launcher: string; title: string }>> = {
  broker: { launcher: 'mqbroker', title: 'mqbroker' },
  brokerContainer: { launcher: 'mqbrokercontainer', title: 'broker container' },
  namesrv: { launcher: 'mqnamesrv', title: 'mqnamesrv' },
  controller: { launcher: 'mqcontroller', title: 'mqcontroller' },
  proxy: { launcher: 'mqproxy', title: 'mqproxy' },
}

const USAGE = 'Usage: mqshutdown broker | namesrv | controller | proxy'
const DEFAULT_WAIT_SECONDS = 60
const POLL_MS = 100

/**
 * `mqshutdown <what> [--wait <seconds>]`: asks this user's daemons of a kind to stop and waits until they are gone
 * (Java does not wait; `--wait 0` does not either). Returns the exit code: 1 when none runs, one cannot be asked, or
 * one is still there after the wait; 0 for a wrong word, after the usage, as in Java, and 1 for a wrong option, which
 * Java has not.
 */
export async function shutdown(argv: readonly string[], host: ShutdownHost): Promise<number> {
  const target = Object.hasOwn(TARGETS, argv[0] ?? '') ? TARGETS[argv[0]!] : undefined
  const waitSeconds = readWait(argv.slice(1))
  if (target === undefined || waitSeconds === undefined) {
    host.stdout(`${USAGE}\n`)
    return target === undefined ? 0 : 1
  }
  const { launcher, title } = target
  const pids = await host.findDaemons(launcher)
  if (pids.length === 0) {
    host.stdout(`No ${title} running.\n`)
    return 1
  }
  const named = `${title}(${pids.join(' ')})`
  host.stdout(`The ${named} is running...\n`)
  for (const pid of pids) {
    try {
      host.terminate(pid)
    } catch (error) {
      host.stderr(`${title}(${pid}) cannot be asked to stop: ${errorText(error)}\n`)
      return 1
    }
  }
  host.stdout(`Send shutdown request to ${named} OK\n`)
  const left = await waitUntilGone(pids, waitSeconds, host)
  if (left.length === 0 || waitSeconds === 0) return 0
  host.stderr(
    `${title}(${left.join(' ')}) still runs after ${waitSeconds} s; its log says what it waits for. ` +
      `A second mqshutdown ends it at once, without a clean stop.\n`,
  )
  return 1
}

function readWait(words: readonly string[]): number | undefined {
  if (words.length === 0) return DEFAULT_WAIT_SECONDS
  const [option, value] = words
  return option === '--wait' && words.length === 2 && /^\d{1,6}$/.test(value!) ? Number(value) : undefined
}

async function waitUntilGone(pids: readonly number[], seconds: number, host: ShutdownHost): Promise<number[]> {
  const deadline = host.clock.monotonic() + seconds * 1000
  let left = pids.filter(pid => host.isRunning(pid))
  while (left.length > 0 && host.clock.monotonic() < deadline) {
    await sleep(host.clock, POLL_MS)
    left = left.filter(pid => host.isRunning(pid))
  }
  return left
}
