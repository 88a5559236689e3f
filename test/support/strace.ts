import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { eventually } from './eventually.js'

/** Whether strace is there and may look at other processes; else why not. */
export function straceMissing(): string | undefined {
  const sleeper = spawn('sleep', ['30'], { stdio: 'ignore' })
  try {
    const words = ['-f', '-qq', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO', '-p', String(sleeper.pid)]
    const { error, status, stderr } = spawnSync('timeout', ['0.3', 'strace', ...words], { encoding: 'utf8' })
    if (error !== undefined) return `no timeout command: ${error.message}`
    // ended by timeout: it was attached
    return status === 124 ? undefined : `strace cannot be used here: ${stderr.trim() || `status ${status}`}`
  } finally {
    sleeper.kill('SIGKILL')
  }
}

export interface Injection {
  /** System calls, as strace names them. */
  calls: readonly string[]
  error: 'EIO' | 'ENOSPC'
  /** Only calls on these paths; default: on all. */
  paths?: readonly string[]
}

/** Has the kernel refuse system calls of a process that runs, until {@link end}. */
export class FailingCalls {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
    private readonly text: () => string,
  ) {}

  static async begin(pid: number, { calls, error, paths = [] }: Injection): Promise<FailingCalls> {
    const of = paths.flatMap(path => ['-P', path])
    const inject = `inject=${calls.join(',')}:error=${error}`
    const words = ['-f', '-e', `trace=${calls.join(',')}`, ...of, '-e', inject, '-p', String(pid)]
    const child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    let text = ''
    child.stderr?.on('data', (data: Buffer) => (text += data.toString()))
    const ended = new Promise<void>(done => child.once('exit', () => done()))
    await eventually(() => text.includes('attached'), 'strace', 20_000)
    return new FailingCalls(child, ended, () => text)
  }

  /** Calls refused so far. */
  get count(): number {
    return this.text().split('(INJECTED)').length - 1
  }

  /** The kernel does its work again. */
  async end(): Promise<void> {
    this.child.kill('SIGINT')
    await this.ended
  }
}
