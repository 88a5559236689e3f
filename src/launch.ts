import { keepStartupMemorySmall, releaseStartupMemory } from './util/native/release-startup-memory.js'
import { outliveReaders } from './util/outlive-readers.js'

/** By then a daemon has loaded, recovered a store of ordinary size and registered. */
const SETTLED_MS = 500

/**
 * Runs a daemon's `main` with the command line's arguments, so that it costs little while idle: see
 * docs/decisions/0002-startup-memory.md. What bin/ launches daemons with.
 */
export async function launchDaemon(
  load: () => Promise<{ main(argv: readonly string[]): Promise<void> }>,
): Promise<void> {
  keepStartupMemorySmall()
  outliveReaders(process.stdout, process.stderr)
  const { main } = await load()
  await main(process.argv.slice(2))
  setTimeout(releaseStartupMemory, SETTLED_MS).unref()
}
