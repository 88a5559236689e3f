import { outliveReaders } from '../util/index.js'
import { run } from './main.js'

/** `bin/mqadmin`. */
export async function main(argv: readonly string[]): Promise<void> {
  outliveReaders(process.stdout, process.stderr)
  process.exitCode = await run(argv, process.env, { stdout: process.stdout, stderr: process.stderr })
}
