import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  brokerBootLine,
  brokerSettings,
  loadBrokerSettings,
  loadNamesrvSettings,
  namesrvBootLine,
  namesrvSettings,
} from '../../../src/config/index.js'
import { type Logger, silentLogger } from '../../../src/util/index.js'
import { goldenHost } from './fixtures.js'

function file(text: string | Buffer): string {
  const path = join(mkdtempSync(join(tmpdir(), 'cometmq-config-')), 'broker.conf')
  writeFileSync(path, text)
  return path
}

function start(argv: string[], env: Record<string, string> = {}) {
  const { host, printed } = goldenHost(env)
  const loaded = loadBrokerSettings(argv, host)
  if (loaded.kind !== 'start') throw new Error(`exit ${loaded.code}: ${printed.err}`)
  const said: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_, text) => said.push(text), info: (_, text) => said.push(text) }
  loaded.report(logger)
  return { settings: loaded.settings, values: loaded.settings.values, said, printed }
}

function refusal(argv: string[], env: Record<string, string> = {}) {
  const { host, printed } = goldenHost(env)
  const loaded = loadBrokerSettings(argv, host)
  return { code: loaded.kind === 'exit' ? loaded.code : 'started', ...printed }
}

describe('where values come from', () => {
  test('defaults, some of them from the machine', () => {
    const { values, said } = start([])
    expect(values).toMatchObject({
      listenPort: 10911,
      haListenPort: 10912,
      brokerName: 'golden-host',
      brokerIP1: '192.0.2.2',
      storePathRootDir: '/tmp/golden-home/store',
      storePathCommitLog: '',
      flushDiskType: 'ASYNC_FLUSH',
      endTransactionThreadPoolNums: 12,
    })
    expect(said).toEqual([])
  })

  test('file < environment < flags', () => {
    const path = file('listenPort=1\nbrokerName = f\nbrokerIP1:f\nnamesrvAddr=f:1\nregionId f\n')
    const env = { ROCKETMQ_LISTEN_PORT: '2', ROCKETMQ_BROKER_NAME: 'e', NAMESRV_ADDR: 'e:1', ROCKETMQ_BROKER_IP1: 'e' }
    const { values } = start(['-c', path, '-n', 'n:1', '--set', 'listenPort=3', '--set', 'haListenPort=9'], env)
    expect(values).toMatchObject({
      listenPort: 3,
      haListenPort: 9,
      brokerName: 'e',
      namesrvAddr: 'n:1',
      brokerIP1: 'e',
      regionId: 'f',
    })
  })

  test('variables of others are left alone', () => {
    expect(start([], { ROCKETMQ_SERVICE_HOST: 'x', ROCKETMQ: 'y', LISTEN_PORT: '1' }).said).toEqual([])
  })

  test('UTF-8 and ISO-8859-1 files are read', () => {
    expect(start(['-c', file('regionId=münchen')]).values.regionId).toBe('münchen')
    expect(start(['-c', file(Buffer.from('regionId=münchen', 'latin1'))]).values.regionId).toBe('münchen')
  })

  test('blanks around a value do not count, booleans have no case', () => {
    const { values } = start(['-c', file('haListenPort=10 \nlongPollingEnable=FALSE \nbrokerRole= SYNC_MASTER ')])
    expect(values).toMatchObject({ haListenPort: 10, longPollingEnable: false, brokerRole: 'SYNC_MASTER' })
  })

  test('a port of 0 has no neighbour, a master has id 0', () => {
    const { values, said } = start(['-c', file('listenPort=0\nbrokerId=3')])
    expect(values).toMatchObject({ listenPort: 0, haListenPort: 0, brokerId: 0 })
    expect(said).toEqual([expect.stringMatching(/line 2: brokerId=3 does not go with the other settings, 0 is used$/)])
  })
})

describe('what is said about a file', () => {
  test('unknown keys are kept and named with the nearest known one', () => {
    const path = file('# x\nbrokerIp1=10.0.0.1\nautoCreateTopicEnabled=false\nmyOwnKey=1\n')
    const { settings, said, values } = start(['-c', path])
    expect(said).toEqual([
      `${path} line 2: unknown key brokerIp1 is kept and has no effect (did you mean brokerIP1?)`,
      `${path} line 3: unknown key autoCreateTopicEnabled is kept and has no effect (did you mean autoCreateTopicEnable?)`,
      `${path} line 4: unknown key myOwnKey is kept and has no effect`,
    ])
    expect(settings.asProperties()).toContain('\nmyOwnKey=1\n')
    expect(values.brokerIP1).toBe('192.0.2.2')
  })

  test('a key called like a property of objects is an unknown key', () => {
    expect(start(['-c', file('constructor=1\ntoString=2')]).said).toHaveLength(2)
  })

  test('planned and ineffective keys, once each, unless they hold their default', () => {
    const path = file('slaveReadEnable=true\nsendMessageThreadPoolNums=16\nuseTLS=false\nslaveReadEnable=true')
    expect(start(['-c', path]).said).toEqual([
      `${path} line 4: slaveReadEnable=true has no effect: the setting is known, but not supported yet`,
      `${path} line 2: sendMessageThreadPoolNums=16 has no effect: requests run on one event loop, there is no thread pool to size`,
    ])
  })

  test('Java moves some values into their bounds; so do we, aloud', () => {
    const { values, said } = start(['--set', 'diskMaxUsedSpaceRatio=99', '--set', 'registerNameServerPeriod=5'])
    expect(values).toMatchObject({ diskMaxUsedSpaceRatio: 95, registerNameServerPeriod: 10_000 })
    expect(said).toEqual([
      'option --set: diskMaxUsedSpaceRatio=99 is out of bounds, 95 is used',
      'option --set: registerNameServerPeriod=5 is out of bounds, 10000 is used',
    ])
  })

  test('words that belong to no option', () => {
    expect(start(['-n', 'a:1', 'autoCreateTopicEnable=true']).said[0]).toMatch(
      /^autoCreateTopicEnable=true on the command/,
    )
  })
})

describe('what stops the start', () => {
  test('every value that does not fit, with its place and what is allowed', () => {
    const path = file('listenPort=70000\nlongPollingEnable=yes\n\nbrokerRole=MASTER\nflushIntervalCommitLog=5s\n')
    const { code, err, out } = refusal(['-c', path])
    expect([code, out]).toEqual([253, ''])
    expect(err).toBe(
      `${path} line 1: listenPort=70000: must be a whole number from 0 to 65535\n` +
        `${path} line 2: longPollingEnable=yes: must be true or false\n` +
        `${path} line 4: brokerRole=MASTER: must be one of ASYNC_MASTER, SYNC_MASTER, SLAVE\n` +
        `${path} line 5: flushIntervalCommitLog=5s: must be a whole number not below 1 (ms)\n`,
    )
  })

  test.each([
    ['authenticationEnabled=true', /access control is not supported yet/],
    ['inSyncReplicas=2', /replication is not supported yet/],
    ['storeType=defaultRocksDB', /consume queues in RocksDB cannot be read/],
    ['enableControllerMode=true', /controllers are not supported yet/],
    ['enableDLegerCommitLog=true', /DLedger is not supported/],
    ['duplicationEnable=true', /no release of RocketMQ has one: set it to false$/m],
    ['messageStorePlugIn=org.apache.rocketmq.tieredstore.TieredMessageStore', /plug-ins are Java classes/],
  ])('%s, which is too dangerous to ignore', (setting, text) => {
    const { code, err } = refusal(['--set', setting])
    expect(code).toBe(253)
    expect(err).toMatch(text)
  })

  test('slaves: first the check Java has, then that they are not there yet', () => {
    expect(refusal(['--set', 'brokerRole=SLAVE'])).toEqual({
      code: 253,
      out: '',
      err: "Slave's brokerId must be > 0\n",
    })
    expect(refusal(['--set', 'brokerRole=SLAVE', '--set', 'brokerId=1']).err).toMatch(/^brokerRole=SLAVE: replication/)
  })

  test.each(['nohost', 'a:0', 'a:1;b', 'a:70000', ';a:1', 'a b:1'])('NameServer address %j', address => {
    expect(refusal(['-n', address])).toEqual({
      code: 253,
      out: '',
      err: `The Name Server Address[${address}] illegal, please set it as follows, "127.0.0.1:9876;192.168.0.1:9876"\n`,
    })
  })

  test.each(['a:1', 'a:1;b.c:2', 'a:1;', '[::1]:9876'])('NameServer address %j is fine', address => {
    expect(start(['-n', address]).values.namesrvAddr).toBe(address)
  })

  test('a file that is not there', () => {
    const { code, err } = refusal(['-c', '/nowhere/broker.conf'])
    expect(code).toBe(255)
    expect(err).toMatch(/^the configuration file \/nowhere\/broker\.conf cannot be read: ENOENT/)
  })
})

describe('the NameServer', () => {
  test('says that it read the file, and keeps changes there', async () => {
    const path = file('listenPort=1234\nenableTopicList=false\n')
    const { host, printed } = goldenHost({ NAMESRV_ADDR: 'x:1' })
    const loaded = loadNamesrvSettings(['-c', path], host)
    if (loaded.kind !== 'start') throw new Error(printed.err)
    expect(printed.out).toBe(`load config properties file OK, ${path}\n`)
    expect(loaded.settings.values).toMatchObject({ listenPort: 1234, enableTopicList: false, configStorePath: path })
    await loaded.settings.update('enableTopicList=true')
    expect(readFileSync(path, 'utf8')).toBe('listenPort=1234\nenableTopicList=true\n')
  })

  test('-p prints its three groups', () => {
    const { host, printed } = goldenHost()
    expect(loadNamesrvSettings(['-p'], host)).toEqual({ kind: 'exit', code: 0 })
    const keys = printed.out.split('\n').map(line => /INFO main - (\w+)=/.exec(line)?.[1])
    expect(keys.slice(0, 3)).toEqual(['rocketmqHome', 'kvConfigPath', 'configStorePath'])
    expect(keys).toEqual(expect.arrayContaining(['listenPort', 'clientWorkerThreads']))
    expect(printed.out).toContain('listenPort=9876\n')
  })
})

test('boot lines', () => {
  const values = { ...brokerSettings.create({ brokerName: 'b', brokerIP1: '10.0.0.1' }).values }
  expect(brokerBootLine(values)).toBe('The broker[b, 10.0.0.1:10911] boot success. serializeType=JSON')
  expect(brokerBootLine({ ...values, namesrvAddr: 'n:9876' })).toMatch(/=JSON and name server is n:9876$/)
  const line = 'The Name Server boot success. serializeType=JSON, address 0.0.0.0:9876'
  expect(namesrvBootLine(namesrvSettings.create().values)).toBe(line)
})
