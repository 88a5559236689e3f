import { runInspect } from '../../src/inspect/index.js'

export interface MqstoreOutcome {
  exitCode: number
  stdout: string
  stderr: string
  /** Stdout as JSON, line by line. */
  lines: Record<string, unknown>[]
}

/** Runs mqstore in this process. With `--json` among the words the lines are parsed. */
export async function runMqstore(...argv: string[]): Promise<MqstoreOutcome> {
  let stdout = ''
  let stderr = ''
  const exitCode = await runInspect(argv, {
    stdout: { write: text => void (stdout += text) },
    stderr: { write: text => void (stderr += text) },
  })
  const lines = argv.includes('--json') ? parseLines(stdout) : []
  return { exitCode, stdout, stderr, lines }
}

export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}
