import { readFile } from 'node:fs/promises'
import { type JsonValue, parseFastJson, readArray, stringifyFastJson } from '../common/index.js'
import { targets } from './brokers.js'
import type { CommandContext } from './command.js'
import { needed, optional } from './option-spec.js'

type ListFileOptions = ReturnType<typeof listFileOptions>

export interface ListFile<T> {
  /** Request code. */
  readonly code: number
  /** What the body calls the list. */
  readonly member: string
  readonly read: (json: JsonValue) => T
  /** What Java calls one of them. */
  readonly what: string
}

/** Options of a command that has brokers take what a file lists: `things`. */
export function listFileOptions(things: string) {
  return {
    brokerAddr: optional('b', `broker that gets the ${things}`, { group: 'target' }),
    clusterName: optional('c', `cluster whose masters get the ${things}`, { group: 'target' }),
    filename: needed('f', `file with the ${things}, a JSON array`),
  }
}

/** Sends the list in a file to each broker named. Undefined, with a word about it, when there is no such file. */
export async function sendListFile<T>(
  context: CommandContext<ListFileOptions>,
  { code, member, read, what }: ListFile<T>,
): Promise<{ brokers: readonly string[]; sent: T[] } | undefined> {
  const { options, admin, out } = context
  const text = await readFile(options.filename).catch(() => undefined)
  if (text === undefined) {
    out.line(`the file path ${options.filename} does not exists`)
    out.problem(`${options.filename} cannot be read`)
    return undefined
  }
  const sent = readArray(parseFastJson(text)).map(read)
  const brokers = (await targets(context, options)) ?? []
  for (const address of brokers) {
    await admin.invokeBroker(address, code, { body: stringifyFastJson({ [member]: sent }) })
    out.line(`submit batch of ${what} config to ${address} success, please check the result later.`)
  }
  return { brokers, sent }
}
