import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MADV_DONTNEED = 4

/**
 * Keeps V8's young generation at its first size while modules are loaded: what a start allocates would grow it for
 * good.
 * {@link releaseStartupMemory} lets it grow again, as load needs it to.
 */
export function keepStartupMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Gives back what only starting needed: garbage of loading modules, freed blocks of malloc, and pages of programs and
 * libraries that were read once. Those pages are clean and file-backed: the ones still in use come back from the page
 * cache when they are next touched. Where the platform offers nothing of this, nothing happens.
 */
export function releaseStartupMemory(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  setFlagsFromString('--no-expose-gc')
  setFlagsFromString('--semi-space-growth-factor=2')
  try {
    releasePages()
  } catch {
    // no /proc, no koffi binary: the memory stays resident until the kernel wants it
  }
}

function releasePages(): void {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi').default
  const libc = koffi.load(null)
  const madvise = libc.func('int madvise(uintptr_t addr, size_t length, int advice)')
  libc.func('int malloc_trim(size_t pad)')(0)
  for (const { from, to } of cleanFileMappings(readFileSync('/proc/self/smaps', 'utf8')))
    madvise(from, to - from, MADV_DONTNEED)
}

/** Mappings of files that are not writable and of which no page was ever changed: dropping them loses nothing. */
export function cleanFileMappings(smaps: string): { from: bigint; to: bigint }[] {
  const found: { from: bigint; to: bigint }[] = []
  for (const entry of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//.exec(entry)
    const anonymous = /^Anonymous:\s+(\d+) kB$/m.exec(entry)
    if (head && anonymous?.[1] === '0') found.push({ from: BigInt(`0x${head[1]}`), to: BigInt(`0x${head[2]}`) })
  }
  return found
}
