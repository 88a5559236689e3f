import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'

/**
 * Ids of this user's processes that run the launcher `name` (`mqbroker`, ...) under node. A shell script of the same
 * name, or an editor that has the launcher open, is none of them.
 */
export async function findDaemons(name: string): Promise<number[]> {
  const processes = process.platform === 'linux' ? await readProc() : await readPs()
  return processes.filter(({ args }) => runsLauncher(args, name)).map(({ pid }) => pid)
}

/** Whether a command line is `node [options] .../<name> ...`. */
export function runsLauncher(args: readonly string[], name: string): boolean {
  if (!/^node(js)?$/.test(basename(args[0] ?? ''))) return false
  for (let i = 1; i < args.length; i++) {
    if (basename(args[i]!) === name) return true
    // Before the script stand options only, some with their value in the next word.
    const isOption = args[i]!.startsWith('-')
    const isValue = i > 1 && args[i - 1]!.startsWith('-') && !args[i - 1]!.includes('=')
    if (!isOption && !isValue) return false
  }
  return false
}

interface ProcessInfo {
  pid: number
  args: string[]
}

async function readProc(): Promise<ProcessInfo[]> {
  const self = process.getuid?.()
  const found: ProcessInfo[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    try {
      if ((await stat(`/proc/${entry}`)).uid !== self) continue
      const args = (await readFile(`/proc/${entry}/cmdline`, 'utf8')).split('\0')
      found.push({ pid: Number(entry), args })
    } catch {
      // The process ended while we looked.
    }
  }
  return found
}

/** Without /proc: `ps` joins the words with blanks, so a path with blanks is not found. */
async function readPs(): Promise<ProcessInfo[]> {
  const { stdout } = await promisify(execFile)('ps', ['-x', '-o', 'pid=,command='])
  return stdout.split('\n').flatMap(line => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined || Number(pid) === process.pid ? [] : [{ pid: Number(pid), args: command!.split(/\s+/) }]
  })
}
