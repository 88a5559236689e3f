#!/usr/bin/env node
/**
 * The README's first commands as a user runs them: `npm start` brings NameServer and Broker up, proves them with a message, goes on
 * running, and ends with exit code 0 when interrupted. Ends with `N passed, M failed`.
 *
 *   node test/interop/start-proof.mjs
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './lib/tools.mjs'

const PROOF = /^received\s+"/m
const READY = /^CometMQ is ready/m

const store = mkdtempSync(join(tmpdir(), 'cometmq-start-'))
const counts = { passed: 0, failed: 0 }
// A group of its own: whatever happens here ends with it, by its id.
const npm = spawn('npm', ['start', '--', '--store', store], {
  cwd: root,
  detached: true,
  stdio: ['ignore', 'pipe', 'pipe'],
})
let output = ''
let ended
for (const stream of [npm.stdout, npm.stderr]) stream.on('data', chunk => (output += chunk))
const end = new Promise(resolve => {
  npm.once('error', error => resolve((ended = error.message)))
  npm.once('exit', (code, signal) => resolve((ended = signal ?? code)))
})

function check(name, passed, detail) {
  counts[passed ? 'passed' : 'failed']++
  console.log(passed ? `PASS start ${name}` : `FAIL start ${name}: ${detail}`)
  return passed
}

async function within(seconds, condition) {
  const deadline = Date.now() + seconds * 1000
  while (!condition()) {
    if (ended !== undefined || Date.now() > deadline) return false
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return true
}

/** npm and its shell die of the signal themselves where a terminal sends it to all: the daemon's own exit code shows only this way. */
function daemonPid() {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
  const childOf = pid => parents.find(([, parent]) => parent === pid)?.[0]
  let pid = npm.pid
  for (let child = childOf(pid); child !== undefined; child = childOf(child)) pid = child
  return pid
}

try {
  const proved = await within(60, () => PROOF.test(output) && READY.test(output))
  if (check('proved-with-a-message', proved, `ended with ${ended}, printed ${JSON.stringify(output.slice(-2000))}`)) {
    process.kill(daemonPid(), 'SIGINT')
    const timer = setTimeout(() => process.kill(-npm.pid, 'SIGKILL'), 30_000)
    const result = await end
    clearTimeout(timer)
    check(
      'exit-code-0-after-interrupt',
      result === 0,
      `ended with ${result}, printed ${JSON.stringify(output.slice(-2000))}`,
    )
  }
} finally {
  if (ended === undefined) process.kill(-npm.pid, 'SIGKILL')
  await end
  rmSync(store, { recursive: true, force: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1
