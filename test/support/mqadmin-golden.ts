import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { goldenDir } from './golden.js'

/** One recorded run of Java's mqadmin. */
export interface MqadminRun {
  /** Words behind `mqadmin`. */
  argv: string[]
  exitCode: number
  stdout: string
  /** Without the lines that stand for stack traces. */
  stderr: string
}

/** The recorded runs of `<name>.txt`; `help/<command>` for usage texts. */
export function mqadminRuns(name: string): MqadminRun[] {
  const text = readFileSync(join(goldenDir('mqadmin'), `${name}.txt`), 'utf8')
  return text
    .split(/^(?=\$ mqadmin)/m)
    .filter(block => block.startsWith('$ mqadmin'))
    .map(readBlock)
}

function readBlock(block: string): MqadminRun {
  const [head = '', rest = ''] = splitOnce(block, '# ---- stdout\n')
  const [out, err = ''] = splitOnce(rest, '# ---- stderr\n')
  const command = /^\$ mqadmin ?(.*)$/m.exec(head)?.[1] ?? ''
  const hasNoEnd = out.includes('# (no newline at the end of stdout)')
  const stdout = out.replace(/# \(no newline at the end of stdout\)\n?/, '').replace(/\n+$/, '')
  return {
    argv: words(command),
    exitCode: Number(/^# exit code (\d+)$/m.exec(head)?.[1]),
    stdout: stdout === '' || hasNoEnd ? stdout : `${stdout}\n`,
    stderr: err
      .split('\n')
      .filter(line => line.trim() !== '(stack trace left out)')
      .join('\n')
      .trim(),
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** As a shell splits it; quotes are single. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2]!)
}
