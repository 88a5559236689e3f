#!/usr/bin/env node
/**
 * The official clients and the official mqadmin against daemons started here.
 *
 *   node test/interop/run.mjs                            CometMQ, the groups that are switched on
 *   node test/interop/run.mjs --server java              the Java broker 5.3.3: shows that the scenarios themselves are right
 *   node test/interop/run.mjs --clients go,java-5.3 --groups core,advanced
 *   node test/interop/run.mjs --clients java-4.9 --only producer-sync,tag-filter --keep
 *   node test/interop/run.mjs --namesrv-cmd 'bin/mqnamesrv -c {namesrvConf}' --broker-cmd 'bin/mqbroker -c {brokerConf}'
 *
 * Prints a line per scenario and ends with `N passed, M failed`; exits 1 when one failed. A toolchain that is not there is named
 * and its clients are left out.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runAdmin } from './lib/admin.mjs'
import { adminCommand, clients, runScenarios } from './lib/clients.mjs'
import { commandLines, startServers } from './lib/servers.mjs'
import { runSqlOracle } from './lib/sql-oracle.mjs'
import { buildGo, buildJava, findTools } from './lib/tools.mjs'
import { coreCommands } from './mqadmin/commands.mjs'

/** Groups of scenarios that CometMQ is to pass; `pop` waits for what it needs of the broker. */
const SWITCHED_ON = ['core', 'advanced']

const { values: options } = parseArgs({
  options: {
    server: { type: 'string', default: 'comet' },
    clients: { type: 'string' },
    groups: { type: 'string', default: SWITCHED_ON.join(',') },
    only: { type: 'string' },
    'namesrv-cmd': { type: 'string' },
    'broker-cmd': { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})

const counts = { passed: 0, failed: 0 }
const admin = { mqadmin: { own: false }, 'mqadmin-own': { own: true } }
/** Not a client: our SQL filter beside that of the Java release. */
const SQL = 'sql-filter'

function report(client, name, failure) {
  counts[failure === undefined ? 'passed' : 'failed']++
  console.log(failure === undefined ? `PASS ${client} ${name}` : `FAIL ${client} ${name}: ${failure}`)
}

/** Prints the last line and gives the exit code. */
function total() {
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  return counts.failed === 0 ? 0 : 1
}

function chosenClients(tools) {
  const known = [...Object.keys(clients), ...Object.keys(admin), SQL]
  const wanted =
    options.clients?.split(',') ??
    known.filter(name => options.server === 'comet' || (name !== 'mqadmin-own' && name !== SQL))
  for (const name of wanted)
    if (!known.includes(name)) throw new Error(`no client ${name}; there are ${known.join(', ')}`)
  return wanted.filter(name => tools[clients[name]?.needs ?? 'java'])
}

function commands() {
  const words = text => text.trim().split(/\s+/)
  const kind = commandLines[options.server]
  if (kind === undefined)
    throw new Error(`no server ${options.server}; there are ${Object.keys(commandLines).join(', ')}`)
  const lines = kind()
  return {
    namesrv: options['namesrv-cmd'] === undefined ? lines.namesrv : words(options['namesrv-cmd']),
    broker: options['broker-cmd'] === undefined ? lines.broker : words(options['broker-cmd']),
  }
}

async function runClient(name, servers, folder, goBinary) {
  mkdirSync(folder)
  const seconds = performance.now()
  const toReport = (scenario, failure) => report(name, scenario, failure)
  const home = join(folder, 'home')
  if (name === SQL) await runSqlOracle({ home, folder, report: toReport })
  else if (admin[name] !== undefined) {
    const command = adminCommand({ home })
    await runAdmin({
      command,
      namesrv: servers.namesrv,
      folder,
      own: admin[name].own,
      cases: coreCommands,
      report: toReport,
    })
  } else {
    const { command, groups } = clients[name]
    const wanted = options.only?.split(',') ?? options.groups.split(',').filter(g => groups.includes(g))
    if (wanted.length === 0) return
    await runScenarios({
      command: command({ home, goBinary }),
      args: [servers.namesrv, ...wanted],
      folder,
      env: { INTEROP_BROKER: servers.broker },
      minutes: 8,
      report: toReport,
    })
  }
  console.log(`${name}: ${((performance.now() - seconds) / 1000).toFixed(1)} s`)
}

async function main() {
  const tools = findTools()
  for (const text of tools.missing) console.log(`SKIP ${text}`)
  const chosen = chosenClients(tools)
  if (chosen.length === 0) return
  if (tools.java) buildJava({ server: options.server === 'java' })
  const goBinary = chosen.includes('go') ? buildGo() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'cometmq-interop-'))
  let kept = options.keep
  try {
    const servers = await startServers({ commands: commands(), folder })
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => {
        report('harness', 'in-time', `ended by ${signal}`)
        void servers.stop().finally(() => process.exit(total()))
      })
    }
    try {
      for (const name of chosen) await runClient(name, servers, join(folder, name), goBinary)
      const died = servers.died()
      if (died !== undefined) report('daemons', 'alive', died)
    } finally {
      const problems = await servers.stop()
      if (options.server === 'comet') report('daemons', 'graceful-stop', problems[0])
    }
  } catch (error) {
    report('daemons', 'started', error.message)
  } finally {
    kept ||= counts.failed > 0
    if (kept) console.log(`logs and stores are kept in ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  report('harness', 'ready', error.message)
}
process.exitCode = total()
