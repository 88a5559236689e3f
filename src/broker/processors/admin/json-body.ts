import { stringifyFastJson } from '../../../common/index.js'

/** A body as Java reads it. */
export function jsonBody(value: unknown): Buffer {
  return Buffer.from(stringifyFastJson(value))
}

/** Entries written before the event loop gets a turn: some tenths of a millisecond. */
const ENTRIES_PER_TURN = 200

/** A large table as the text of a JSON object, written without holding up the event loop. */
export async function tableJson(entries: Iterable<readonly [string, unknown]>): Promise<string> {
  const members: string[] = []
  for (const [key, value] of entries) {
    members.push(`${JSON.stringify(key)}:${stringifyFastJson(value)}`)
    if (members.length % ENTRIES_PER_TURN === 0) await nextTurn()
  }
  return `{${members.join(',')}}`
}

/** Lets the event loop go round once every so many steps of a long piece of work. */
export class Pace {
  private steps = 0

  constructor(private readonly stepsPerTurn: number) {}

  /** Undefined when there is nothing to wait for. */
  step(): Promise<void> | undefined {
    return ++this.steps % this.stepsPerTurn === 0 ? nextTurn() : undefined
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
