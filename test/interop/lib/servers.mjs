import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { classPath, root } from './tools.mjs'

const javaOpens = ['java.nio', 'java.lang', 'sun.nio.ch', 'sun.security.action'].map(
  p => `--add-opens=java.base/${p}=ALL-UNNAMED`,
)
const javaExports = ['jdk.internal.ref', 'sun.nio.ch'].map(p => `--add-exports=java.base/${p}=ALL-UNNAMED`)

/** Command lines by kind of server; {namesrvConf}, {brokerConf} and {home} are put in. */
export const commandLines = {
  comet: () => ({
    namesrv: [process.execPath, join(root, 'bin', 'mqnamesrv'), '-c', '{namesrvConf}'],
    broker: [process.execPath, join(root, 'bin', 'mqbroker'), '-c', '{brokerConf}'],
  }),
  java: ({ heap = ['-Xms512m', '-Xmx1g', '-XX:MaxDirectMemorySize=1g'] } = {}) => {
    const jvm = [
      'java',
      '-Duser.home={home}',
      '-Drocketmq.home.dir={home}',
      ...javaOpens,
      ...javaExports,
      '-cp',
      classPath('server'),
    ]
    return {
      namesrv: [...jvm, '-Xms64m', '-Xmx256m', 'org.apache.rocketmq.namesrv.NamesrvStartup', '-c', '{namesrvConf}'],
      broker: [...jvm, ...heap, 'org.apache.rocketmq.broker.BrokerStartup', '-c', '{brokerConf}'],
    }
  },
}

/**
 * Starts a NameServer and a broker on free ports with everything below `folder`; `settings` are more of the
 * broker's, `port` its port when it must be a certain one.
 * @returns {Promise<{ namesrv: string, broker: string, brokerPid: number, died: () => string | undefined, stop: () => Promise<string[]>, killBroker: () => Promise<void> }>} stop gives what went wrong in stopping
 */
export async function startServers({ commands, folder, settings = {}, port }) {
  const home = join(folder, 'home')
  mkdirSync(join(home, 'conf'), { recursive: true })
  const namesrvPort = await freePorts([0])
  const brokerPort = port ?? (await freePorts([-2, 0, 1]))
  const namesrv = `127.0.0.1:${namesrvPort}`
  const files = { home, namesrvConf: join(home, 'namesrv.conf'), brokerConf: join(home, 'broker.conf') }
  writeFileSync(files.namesrvConf, properties({ listenPort: namesrvPort, kvConfigPath: join(home, 'kvConfig.json') }))
  writeFileSync(files.brokerConf, properties({ ...brokerSettings({ namesrv, brokerPort, home }), ...settings }))
  const started = []
  const start = async (name, command, port) => {
    const server = launch(name, command, files, folder)
    started.unshift(server)
    await listening(server, port)
  }
  const stop = async () => (await Promise.all(started.map(end))).filter(problem => problem !== undefined)
  try {
    await start('namesrv', commands.namesrv, namesrvPort)
    await start('broker', commands.broker, brokerPort)
  } catch (error) {
    await stop()
    throw error
  }
  const killBroker = async () => {
    const broker = started.find(server => server.name === 'broker')
    broker.ending = true
    broker.child.kill('SIGKILL')
    await broker.ended
  }
  const died = () => started.map(fate).find(f => f !== undefined)
  const brokerPid = started[0].child.pid
  return { namesrv, broker: `127.0.0.1:${brokerPort}`, brokerPid, died, stop, killBroker }
}

/** Java's keys. The short transaction times, filters, trace topic and recall are what the scenarios' waiting times build on. */
function brokerSettings({ namesrv, brokerPort, home }) {
  return {
    brokerClusterName: 'InteropCluster',
    brokerName: 'interop-a',
    brokerId: 0,
    brokerRole: 'ASYNC_MASTER',
    flushDiskType: 'ASYNC_FLUSH',
    brokerIP1: '127.0.0.1',
    listenPort: brokerPort,
    namesrvAddr: namesrv,
    storePathRootDir: join(home, 'store'),
    storePathCommitLog: join(home, 'store', 'commitlog'),
    mappedFileSizeCommitLog: 64 << 20,
    autoCreateTopicEnable: true,
    autoCreateSubscriptionGroup: true,
    enablePropertyFilter: true,
    traceTopicEnable: true,
    recallMessageEnable: true,
    transactionTimeOut: 1000,
    transactionCheckInterval: 2000,
    // A machine that is busy with the clients is no reason to turn sends away.
    waitTimeMillsInSendQueue: 5000,
    diskMaxUsedSpaceRatio: 95,
  }
}

function properties(settings) {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function launch(name, command, files, folder) {
  const [file, ...args] = command.map(word => word.replace(/\{(\w+)\}/g, (whole, key) => files[key] ?? whole))
  const log = join(folder, `${name}.log`)
  const fd = openSync(log, 'a')
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ['ignore', fd, fd],
    env: { ...process.env, ROCKETMQ_HOME: files.home },
  })
  const server = { name, child, log, exit: undefined, ending: false }
  server.ended = new Promise(resolve => {
    child.once('error', error => resolve((server.exit = `did not start: ${error.message}`)))
    child.once('exit', (code, signal) => resolve((server.exit = signal ?? `exit code ${code}`)))
  })
  return server
}

async function listening(server, port) {
  const deadline = Date.now() + 60_000
  while (!(await connects(port))) {
    const ended = fate(server)
    if (ended !== undefined) throw new Error(ended)
    if (Date.now() > deadline) throw new Error(`${server.name} does not listen on ${port} after 60 s\n${tail(server)}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function fate(server) {
  return server.exit === undefined || server.ending
    ? undefined
    : `${server.name} ended (${server.exit})\n${tail(server)}`
}

function tail(server) {
  return readFileSync(server.log, 'utf8').split('\n').slice(-15).join('\n')
}

/** SIGTERM, 20 s to leave, then SIGKILL: by the id of what was started here, never by name. */
async function end(server) {
  if (server.exit !== undefined) return undefined
  server.ending = true
  server.child.kill('SIGTERM')
  const timer = setTimeout(() => server.child.kill('SIGKILL'), 20_000)
  const exit = await server.ended
  clearTimeout(timer)
  return exit === 'SIGKILL' ? `${server.name} did not end within 20 s of SIGTERM` : undefined
}

function connects(port) {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })
}

/** A port for which it and its neighbours at the offsets are free: the broker listens at -2 and +1 of its port as well. */
export async function freePorts(offsets) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(offsets.map(offset => canListen(port + offset)))
    if (free.every(Boolean)) return port
  }
  throw new Error(`no free ports found at ${offsets}`)
}

function canListen(port) {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
