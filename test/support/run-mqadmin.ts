import { run } from '../../src/admin/index.js'

export interface MqadminOutcome {
  exitCode: number
  stdout: string
  stderr: string
}

/** Runs mqadmin in this process. */
export async function runMqadmin(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MqadminOutcome> {
  let stdout = ''
  let stderr = ''
  const exitCode = await run(argv, env, {
    stdout: { write: text => (stdout += text) },
    stderr: { write: text => (stderr += text) },
  })
  return { exitCode, stdout, stderr }
}
