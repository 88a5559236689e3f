import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and what is missing above it. Where the system takes no folders (under /proc) it fails, while
 * `mkdirSync` with `recursive` goes on for ever. Throws the system's error, with the path that could not be made.
 */
export function makeFolders(path: string): void {
  const folder = resolve(path)
  const missing: string[] = []
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at)
  for (const at of missing) if (!existsSync(at)) mkdirSync(at)
  // an error where a file has the name
  mkdirSync(folder, { recursive: true })
}
