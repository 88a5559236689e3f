import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'cometmq-tests-'

/**
 * Every temporary folder of a test run lies below one, which goes when the run ends. Those of runs that were killed go
 * when the next one starts: stores are large.
 */
export default function setup(): () => void {
  const parent = tmpdir()
  for (const name of readdirSync(parent)) {
    if (name.startsWith(PREFIX) && existsSync('/proc/self') && !existsSync(`/proc/${name.slice(PREFIX.length)}`))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
  const folder = join(parent, PREFIX + process.pid)
  mkdirSync(folder, { recursive: true })
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
