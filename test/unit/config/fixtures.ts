import type { DaemonHost } from '../../../src/config/index.js'
import { ManualClock } from '../../support/manual-clock.js'

/** The machine the golden texts were recorded on, and what a daemon prints there. */
export function goldenHost(env: Record<string, string> = { ROCKETMQ_HOME: '/tmp/golden-home/rocketmq' }) {
  const printed = { out: '', err: '' }
  const host: DaemonHost = {
    surroundings: { cores: 2, home: '/tmp/golden-home', hostName: 'golden-host', localAddress: '192.0.2.2', env },
    clock: new ManualClock(Date.UTC(2026, 10, 21, 10, 9, 40)),
    stdout: text => void (printed.out += text),
    stderr: text => void (printed.err += text),
  }
  return { host, printed }
}
