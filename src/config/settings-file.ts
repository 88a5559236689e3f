import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import {
  decodeProperties,
  editProperties,
  errorText,
  MQError,
  parseProperties,
  writeBackedUpFile,
} from '../util/index.js'
import type { SettingsSource } from './load-settings.js'

/** Reads a properties file as a source of settings. `ERR_SETTINGS_FILE`: it cannot be read. */
export function readSettingsFile(path: string): SettingsSource {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new MQError('ERR_SETTINGS_FILE', `the configuration file ${path} cannot be read: ${errorText(error)}`, {
      cause: error,
    })
  }
  const entries = parseProperties(decodeProperties(bytes).text)
  return entries.map(({ key, value, firstLine }) => ({ key, value, where: `${path} line ${firstLine}` }))
}

/**
 * Writes changed values into a properties file and keeps the rest of it, comments included; what it held before is in
 * `<path>.bak`. Missing folders and a missing file are made. The new file replaces the old one at once or not at all.
 * `ERR_SETTINGS_NOT_SAVED`: it could not be written, the old one stands.
 */
export async function writeSettingsFile(path: string, changes: ReadonlyMap<string, string>): Promise<void> {
  try {
    const { text, encoding } = decodeProperties((await readIfThere(path)) ?? Buffer.alloc(0))
    await writeBackedUpFile(path, Buffer.from(editProperties(text, changes), encoding))
  } catch (error) {
    throw new MQError(
      'ERR_SETTINGS_NOT_SAVED',
      `nothing was changed, because the change could not be saved in ${path}: ${errorText(error)}`,
      { cause: error },
    )
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
