import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const packed = fileURLToPath(new URL('../golden/', import.meta.url))
const unpacked = new Map<string, string>()
let root: string | undefined

export type GoldenFolder = 'frames' | 'mqadmin' | 'config'
export type GoldenStoreName = 'clean' | 'crashed' | 'rolled' | 'trimmed'
/** A store that has no manifest: its records say themselves what its queues must hold. */
export type PlainGoldenStoreName = 'extended'

/** A folder with the unpacked recordings (see test/golden/pack.md), shared by the tests of this process: read only. */
export function goldenDir(name: GoldenFolder): string {
  let dir = unpacked.get(name)
  if (dir === undefined) {
    unpack(join(packed, `${name}.tar.gz`), scratch())
    dir = join(scratch(), name)
    unpacked.set(name, dir)
  }
  return dir
}

/** A fresh, writable copy of a store directory written by the Java broker. */
export function goldenStore(name: GoldenStoreName | PlainGoldenStoreName): string {
  const dir = mkdtempSync(join(scratch(), `${name}-`))
  unpack(join(packed, 'store', `${name}.tar.gz`), dir)
  return join(dir, name)
}

/** The parsed manifest of a store: every record, queue entry, index item and checkpoint in it. */
export function goldenManifest(name: GoldenStoreName): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(packed, 'store', `${name}.json.gz`))).toString('utf8'))
}

function unpack(archive: string, into: string): void {
  mkdirSync(into, { recursive: true })
  execFileSync('tar', ['-xzf', archive, '-C', into])
}

function scratch(): string {
  if (root === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'cometmq-golden-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    root = made
  }
  return root
}
