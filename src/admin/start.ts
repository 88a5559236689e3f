import { run } from './main.js'

/** `bin/mqadmin`. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv, process.env, { stdout: process.stdout, stderr: process.stderr })
}
