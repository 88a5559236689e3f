import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { classPath } from './tools.mjs'

const javaQuiet = [
  '-Drocketmq.client.logLevel=ERROR',
  '-Drocketmq.log.level=error',
  '-Drocketmq.client.logUseSlf4j=false',
]
// Rebalancing every second instead of every 20: a scenario waits for conditions, not for the client's patience.
const javaQuick = ['-Drocketmq.client.rebalance.waitInterval=1000']
const javaBase = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true', ...javaQuiet, ...javaQuick]

/** Clients by name: which toolchain, which groups of scenarios there are for it, and how to run them. */
export const clients = {
  'java-4.9': { needs: 'java', groups: ['core', 'advanced'], command: java('client-4.9') },
  'java-5.3': { needs: 'java', groups: ['core', 'advanced', 'pop'], command: java('client-5.3') },
  // Headers in the ROCKETMQ form both ways; POP's codes do not fit its 16 bits.
  'java-5.3-binary': {
    needs: 'java',
    groups: ['core'],
    command: java('client-5.3', '-Drocketmq.serialize.type=ROCKETMQ'),
  },
  go: { needs: 'go', groups: ['core', 'advanced'], command: ({ goBinary }) => [goBinary] },
}

function java(module, ...flags) {
  return ({ home }) => [
    'java',
    ...javaBase,
    ...flags,
    `-Duser.home=${home}`,
    '-cp',
    classPath(module),
    'interop.ScenarioRunner',
  ]
}

/** The command that keeps clients online and runs the official mqadmin. */
export function adminCommand({ home }) {
  return ['java', ...javaBase, `-Duser.home=${home}`, '-cp', classPath('client-5.3'), 'interop.AdminRunner']
}

/**
 * Runs a runner, whose stdout has a line `PLAN name` for what it will do and one `PASS name` or `FAIL name: reason` for each.
 * What was planned and has no result when it ends has failed.
 * @param {{ command: string[], args: string[], folder: string, minutes: number, env?: Record<string, string>, report: (name: string, failure?: string) => void }} options
 */
export async function runScenarios({ command, args, folder, minutes, env, report }) {
  const { child, lines, ended } = launch({ command, args, folder, env })
  const open = new Set()
  const seen = []
  const timer = setTimeout(() => child.kill('SIGKILL'), minutes * 60_000)
  lines.on('line', line => {
    const [, verdict, name, failure] = /^(PLAN|PASS|FAIL) ([\w.-]+)(?:: (.*))?$/.exec(line) ?? []
    if (verdict === 'PLAN') open.add(name)
    else if (verdict !== undefined && open.delete(name))
      report(name, verdict === 'PASS' ? undefined : (failure ?? 'no reason given'))
    else seen.push(line)
  })
  const exit = await ended
  clearTimeout(timer)
  for (const name of open) report(name, `no result: the runner ended with ${exit}`)
  if (exit !== 'exit code 0' && exit !== 'exit code 1') report('runner', `${exit} ${seen.slice(-5).join(' | ')}`)
}

/** Starts a client program whose stderr goes to a file in the folder. */
export function launch({ command, args, folder, env = {} }) {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const [file, ...first] = command
  const child = spawn(file, [...first, ...args], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, HOME: home, ROCKETMQ_GO_LOG_LEVEL: 'error', ...env },
  })
  child.stderr.pipe(createWriteStream(join(folder, 'client.log')))
  const lines = createInterface({ input: child.stdout })
  const closed = new Promise(resolve => lines.once('close', resolve))
  const ended = new Promise(resolve => {
    child.once('error', error => resolve(`did not start: ${error.message}`))
    child.once('exit', (code, signal) => closed.then(() => resolve(signal ?? `exit code ${code}`)))
  })
  return { child, lines, ended }
}
