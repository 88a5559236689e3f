import { copyFile, mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorText, MQError } from './errors.js'

/** What {@link readBackedUpFile} found, and where. */
export interface BackedUpContent<T> {
  readonly value: T
  readonly path: string
  /** Why the file itself could not be used, when `path` is that of its backup. */
  readonly problem?: string
}

/** Replaces a file at once or not at all; what it held becomes `<path>.bak`. Missing folders are made. */
export async function writeBackedUpFile(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await copyFile(path, `${path}.bak`)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  await rename(temporary, path)
}

/**
 * Reads such a file; where it is missing, blank or refused by `parse`, its backup. Undefined when there is neither.
 * @throws MQError ERR_FILE_UNREADABLE when there is something and none of it can be used.
 */
export async function readBackedUpFile<T>(
  path: string,
  parse: (text: string) => T,
): Promise<BackedUpContent<T> | undefined> {
  const problems: string[] = []
  for (const candidate of [path, `${path}.bak`]) {
    try {
      const text = await readFile(candidate, 'utf8')
      if (text.trim() === '') problems.push(`${candidate} is empty`)
      else
        return { value: parse(text), path: candidate, ...(problems[0] === undefined ? {} : { problem: problems[0] }) }
    } catch (error) {
      if (!isMissing(error)) problems.push(`${candidate}: ${errorText(error)}`)
    }
  }
  if (problems.length === 0) return undefined
  throw new MQError('ERR_FILE_UNREADABLE', `${problems.join('; ')}: repair the file, or remove it to start without it`)
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
