import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Producer, PushConsumer } from '../../src/client/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { eventually } from '../support/eventually.js'
import { goldenManifest, goldenStore } from '../support/golden.js'
import { type MqadminRun, mqadminRuns } from '../support/mqadmin-golden.js'
import { runMqadmin } from '../support/run-mqadmin.js'

/*
 * The commands as they were recorded on Java's broker with the store `clean`, two consumers and a producer, against ours
 * with a copy of that store, a consumer and a producer.
 */

process.env.TZ = 'UTC'

const JAVA_BROKER = '127.0.0.1:20911'
const JAVA_NAMESRV = '127.0.0.1:9976'

let mq: CometMQ
let producer: Producer
let consumer: PushConsumer
let consumed = 0

beforeAll(async () => {
  const { brokerConfig } = goldenManifest('clean') as { brokerConfig: Record<string, string> }
  const size = (key: string): number => Number(brokerConfig[key])
  mq = await startCometMQ({
    store: goldenStore('clean'),
    broker: {
      brokerName: 'golden-a',
      brokerClusterName: 'GoldenCluster',
      maxMessageSize: 65_536,
      mappedFileSizeCommitLog: size('mappedFileSizeCommitLog'),
      mappedFileSizeConsumeQueue: size('mappedFileSizeConsumeQueue'),
      mapperFileSizeBatchConsumeQueue: size('mapperFileSizeBatchConsumeQueue'),
      mappedFileSizeTimerLog: size('mappedFileSizeTimerLog'),
      maxHashSlotNum: size('maxHashSlotNum'),
      maxIndexNum: size('maxIndexNum'),
    },
  })
  const namesrvAddr = mq.namesrvAddr
  consumer = new PushConsumer({
    group: 'StoreGroupA',
    namesrvAddr,
    instanceName: 'live-consumer-1',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onMessages: messages => {
      consumed += messages.length
      return 'CONSUME_SUCCESS'
    },
  })
  consumer.subscribe('StoreTopicA', 'TagA || TagB')
  await consumer.start()
  producer = new Producer({ group: 'StoreProducer', namesrvAddr, instanceName: 'live-producer' })
  await producer.start()
  // the recorded commands saw one message more than the store had
  const queue = { topic: 'StoreTopicA', brokerName: 'golden-a', queueId: 1 }
  await producer.send({ topic: 'StoreTopicA', tags: 'TagA', body: 'one more' }, { queue })
  await eventually(() => consumed > 0)
  await eventually(
    async () => (await ours(['producerConnection', '-g', 'StoreProducer', '-t', 'StoreTopicA'])).stderr === '',
  )
})

afterAll(async () => {
  await consumer?.stop()
  await producer?.stop()
  await mq?.stop()
})

function here(text: string): string {
  return text.replaceAll(JAVA_BROKER, mq.brokerAddr).replaceAll(JAVA_NAMESRV, mq.namesrvAddr)
}

function ours(argv: readonly string[], ...more: string[]) {
  return runMqadmin([...argv.map(here), ...more], { NAMESRV_ADDR: mq.namesrvAddr })
}

async function compare(java: MqadminRun, normalize: (text: string) => string = text => text): Promise<void> {
  const { exitCode, stdout, stderr } = await ours(java.argv)
  expect({ stdout: normalize(stdout), stderr: stderr.trim(), exitCode }).toEqual({
    stdout: normalize(here(java.stdout)),
    stderr: here(java.stderr),
    exitCode: java.exitCode,
  })
}

function runsOf(name: string, wanted: (run: MqadminRun) => boolean = () => true): [string, MqadminRun][] {
  return mqadminRuns(name)
    .filter(wanted)
    .map(run => [run.argv.join(' '), run])
}

/** Times differ from run to run. */
function withoutTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d{3})?/g, 'TIME')
}

function sortedLines(text: string): string {
  return text.split('\n').sort().join('\n')
}

describe('the output is that of Java to the byte', () => {
  const exact = [
    ...runsOf('topicRoute', run => !run.argv.includes('AdminStatic')),
    ...runsOf('topicClusterList'),
    ...runsOf('queryMsgByKey', run => !run.argv.includes('-m')),
    ...runsOf('queryMsgById', run => run.argv.includes('notAnId') || run.argv.join().includes('00000F0000')),
    ...runsOf('queryMsgByOffset', run => run.argv.includes('9999') || run.argv.includes('nobroker')),
    ...runsOf('brokerStatus', run => run.argv.includes('NoCluster') || run.argv.includes('127.0.0.1:29999')),
    ...runsOf('clusterList', run => run.argv.includes('NoCluster')),
    ...runsOf('printMsg', run => run.argv.includes('NoSuchTopic')),
    ...runsOf('consumeMessage', run => run.argv.includes('NoSuchTopic')),
    ...runsOf('sendMessage', run => run.argv.includes('No Such Topic!')),
    ...runsOf('consumerConnection', run => !run.argv.includes('StoreGroupA')),
    ...runsOf('producerConnection', run => run.argv.includes('NoSuchProducer')),
    ...runsOf('getConsumerConfig', run => run.argv.includes('NoSuchGroup')),
    ...runsOf('updateTopic', run => !run.argv.includes('+message.type=NOSUCH')),
    ...runsOf('updateTopicPerm'),
    ...runsOf('updateSubGroup', run => !run.argv.includes('Bad Group')),
    ...runsOf('cloneGroupOffset'),
    ...runsOf('updateOrderConf'),
    ...runsOf('updateKvConfig'),
    ...runsOf('deleteKvConfig'),
    ...runsOf('deleteSubGroup'),
    ...runsOf('deleteTopic'),
    ...runsOf('updateBrokerConfig'),
    ...runsOf('updateNamesrvConfig'),
    ...runsOf('wipeWritePerm', run => run.argv.includes('nobroker')),
    ...runsOf('addWritePerm', run => run.argv.includes('nobroker')),
    ...runsOf('cleanExpiredCQ'),
    ...runsOf('cleanUnusedTopic'),
    ...runsOf('deleteExpiredCommitLog'),
    ...runsOf('queryCq', run => !run.argv.includes('-g')),
    ...runsOf('queryMsgTraceById', run => !run.stdout.includes('Pub')),
    ...runsOf('resetOffsetByTime', run => run.stdout === '' && !run.argv.includes('badtime')),
    ...runsOf('consumerStatus', run => run.argv.includes('NoSuchGroup')),
  ]
  test.each(exact)('mqadmin %s', (_name, java) => compare(java))
})

describe('the output is that of Java but for what differs from run to run', () => {
  test.each(runsOf('topicStatus'))('mqadmin %s', (_name, java) => compare(java, withoutTimes))

  const ofOneGroup = (run: MqadminRun): boolean => run.argv.includes('-g') && !run.argv.includes('-s')
  test.each(runsOf('consumerProgress', ofOneGroup))('mqadmin %s', async (_name, java) => {
    const normalize = (text: string): string => withoutTimes(text).replace(/TPS: [\d.]+/, 'TPS: n')
    // the offset of the message just consumed is committed some seconds later; if not, the comparison shows what is there
    const isThere = async (): Promise<boolean> => {
      const { stdout } = await ours(java.argv)
      return normalize(stdout) === normalize(here(java.stdout))
    }
    await eventually(isThere, 'the committed offset', 25_000).catch(() => {})
    await compare(java, normalize)
  })

  test('consumerProgress of all groups', async () => {
    const [java] = mqadminRuns('consumerProgress')
    // ours has one member where Java's had two
    const members = (text: string): string => sortedLines(text.replace(/(StoreGroupA +)2/, '$11'))
    await compare(java!, members)
  })

  test('topicList', () => compare(mqadminRuns('topicList')[0]!, text => sortedLines(withoutLaterTopics(text))))

  function withoutLaterTopics(text: string): string {
    return text.replace(/^(AdminFifo|AdminTopic)\n/gm, '')
  }

  test('clusterList has the columns of Java', async () => {
    for (const java of mqadminRuns('clusterList').filter(run => !run.argv.includes('NoCluster'))) {
      const shape = (text: string): string =>
        text.replace(/\d+(\.\d+)?/g, digits => (digits.includes('.') ? 'n.n' : 'n'))
      const columns = (text: string): string[] =>
        shape(text)
          .split('\n')
          .map(line => line.replace(/ +/g, ' '))
      const { stdout } = await ours(java.argv)
      expect(columns(stdout)).toEqual(columns(here(java.stdout)))
      expect(stdout.split('\n')[0]).toBe(java.stdout.split('\n')[0])
    }
  })

  test('brokerStatus has the keys of Java, but for the progress of delay levels', async () => {
    const [java] = mqadminRuns('brokerStatus')
    const keys = (text: string): string[] =>
      [...text.matchAll(/^(\w+)/gm)].map(match => match[1]!).filter(key => !key.startsWith('scheduleMessageOffset'))
    expect(keys((await ours(java!.argv)).stdout)).toEqual(keys(java!.stdout))
  })

  test('printMsg prints messages as Java does', async () => {
    const [, java] = mqadminRuns('printMsg')
    await compare(java!, text =>
      text
        .replace(/properties=\{(.*?)\}, body/g, (_all, inner: string) => {
          return `properties={${inner.split(', ').sort().join(', ')}}, body`
        })
        .replaceAll(mq.brokerAddr, JAVA_BROKER),
    )
  })

  test.each(runsOf('consumeMessage', run => run.argv.includes('StoreSql')))('mqadmin %s', (_name, java) =>
    compare(java, text => text.replace(/MessageExt .*? BODY/g, 'MessageExt BODY')),
  )

  test('queryMsgByOffset shows everything about a message', async () => {
    const [java] = mqadminRuns('queryMsgByOffset')
    const fields = (text: string): string[] =>
      text
        .split('\n')
        .filter(line => /^[A-Z][A-Za-z ]+: {2}/.test(line) && !/^(Properties|Store Host|Message Body)/.test(line))
    const { stdout } = await ours(java!.argv)
    expect(fields(stdout)).toEqual(fields(java!.stdout))
    expect(stdout).toContain('MessageTrack [consumerGroup=StoreGroupB, trackType=UNKNOWN, exceptionDesc=org.apache')
  })

  const moves = [...runsOf('resetOffsetByTime', run => run.stdout !== ''), ...runsOf('skipAccumulatedMessage')]
  test.each(moves)('mqadmin %s', async (_name, java) => {
    // rows come in the order of a hash map there, and `now` is another time
    const normalize = (text: string): string =>
      sortedLines(text.replace(/(string\)\[now\], timestamp\(long\)\[)\d+/, '$1n'))
    await compare(java, normalize)
  })

  test('a member that was moved has its queues again', async () => {
    const owned = async (): Promise<number> => {
      const { stdout } = await ours(['getConsumerStatus', '-g', 'StoreGroupA', '-t', 'StoreTopicA'])
      return stdout.trimEnd().split('\n').length - 2
    }
    await eventually(async () => (await owned()) === 4, 'four queues')
  })

  test('queryCq with a group shows its subscription', async () => {
    const java = mqadminRuns('queryCq').find(run => run.argv.includes('-g'))!
    await compare(java, text => text.replace(/"subVersion":\d+/, '"subVersion":n'))
  })

  test('consumerStatus of one member is laid out as by Java', async () => {
    const { stdout: list } = await ours(['consumerConnection', '-g', 'StoreGroupA'], '--json')
    const [{ clientId }] = JSON.parse(list).result.connections as [{ clientId: string }]
    const java = mqadminRuns('consumerStatus').find(run => run.argv.includes('-i'))!
    const { stdout } = await ours(['consumerStatus', '-g', 'StoreGroupA', '-i', clientId])
    const layout = (text: string): string[] => text.split('\n').filter(line => /^(#|$)/.test(line))
    expect(layout(stdout)).toEqual(layout(java.stdout))
    expect(stdout).toMatch(/^00\d Topic: StoreTopicA {30}ClassFilter: false {4}SubExpression: TagA \|\| TagB$/m)
    expect(stdout).toMatch(/^StoreTopicA {55}golden-a {26}0 {5}ProcessQueueInfo \[commitOffset=30, /m)
    expect(stdout).toMatch(/locked=(true|false), tryUnlockTimes=0, lastLockTimestamp=\d{17}, droped=false, lastPull/)
  })

  test('consumerStatus of all members judges the group', async () => {
    const { stdout } = await ours(['consumerStatus', '-g', 'StoreGroupA'], '--json')
    const { result } = JSON.parse(stdout) as { result: { sameSubscription: boolean; stuck: string[]; members: object } }
    expect(result).toMatchObject({ sameSubscription: true, stuck: [] })
    expect(Object.keys(result.members)).toHaveLength(1)
  })

  test('statsAll', async () => {
    const java = mqadminRuns('statsAll').find(run => run.argv.includes('-t'))!
    const { stdout } = await ours(java.argv)
    const [heading, ...rows] = stdout.trimEnd().split('\n')
    expect(heading).toBe(java.stdout.split('\n')[0])
    const javaRows = java.stdout.trimEnd().split('\n').slice(1)
    const names = (lines: string[]): string[] => lines.map(line => line.slice(0, 130)).sort()
    expect(names(rows)).toEqual(expect.arrayContaining(names(javaRows).filter(name => /StoreGroup/.test(name))))
    for (const row of rows) expect(row).toMatch(/^\S+ +\S+ +\d+ +\d+\.\d\d +\d+\.\d\d +\d+ +\d+$/)
  })

  test('checkMsgSendRT', async () => {
    const [java] = mqadminRuns('checkMsgSendRT')
    const times = (text: string): string => text.replace(/(true {20})\d+/g, '$1n').replace(/RT: [\d.]+/, 'RT: n')
    await compare(java!, times)
  })

  test('sendMsgStatus', async () => {
    const [java] = mqadminRuns('sendMsgStatus')
    const normalize = (text: string): string =>
      text
        .replace(/rt=\d+/g, 'rt=n')
        .replace(/[0-9A-F]{30,}/g, 'ID')
        .replace(/queueOffset=\d+/g, 'queueOffset=n')
    await compare(java!, normalize)
  })

  test('startMonitoring looks at every group', async () => {
    await ours(['resetOffsetByTime', '-g', 'StoreGroupSql', '-t', 'StoreSql', '-s', '0'])
    const { stdout } = await ours(['startMonitoring'], '--json')
    const { result } = JSON.parse(stdout) as { result: { group: string; kind: string; text: string }[] }
    expect(result).toContainEqual({
      group: 'StoreGroupSql',
      kind: 'UNDONE_MESSAGES',
      text: '4 messages of StoreSql wait',
    })
    await ours(['undoResetOffset', '-g', 'StoreGroupSql', '-t', 'StoreSql'])
  })

  test('sendMessage', async () => {
    const [, java] = mqadminRuns('sendMessage')
    await compare(java!, text => text.replace(/[0-9A-F]{30,}/, 'ID'))
  })

  test('producerConnection and consumerConnection show who is there', async () => {
    const clients = /127\.0\.0\.1@live-\S+ +127\.0\.0\.1:\d+ +\S+ +\S+/
    const [producers] = mqadminRuns('producerConnection')
    expect((await ours(producers!.argv)).stdout).toMatch(/^0001 {2}\S+@live-producer +\S+:\d+ +\S+ +V5_3_3\n$/)
    expect(producers!.stdout).toMatch(clients)
    const [consumers] = mqadminRuns('consumerConnection')
    const behindClients = (text: string): string => text.slice(text.indexOf('\n\nBelow'))
    const { stdout } = await ours(consumers!.argv)
    expect(stdout.split('\n')[0]).toBe(consumers!.stdout.split('\n')[0])
    expect(stdout).toMatch(/^\S+@live-consumer-1 +\S+:\d+ +\S+ +V5_3_3$/m)
    expect(behindClients(stdout)).toBe(behindClients(consumers!.stdout))
  })
})

describe('beyond Java', () => {
  test('--json gives the result as data', async () => {
    const { stdout } = await ours(['topicStatus', '-t', 'StoreSql'], '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'topicStatus',
      problems: [],
      result: { queues: [{ queue: { topic: 'StoreSql', queueId: 0 }, minOffset: 0, maxOffset: 4 }] },
    })
  })

  test('--json gives a failure as data', async () => {
    const { stdout, stderr, exitCode } = await ours(['topicRoute', '-t', 'NoSuchTopic'], '--json', '--strict')
    expect(JSON.parse(stdout)).toMatchObject({ command: 'topicRoute', error: { responseCode: 17 } })
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 2 })
  })

  test.each([
    [['topicRoute', '--json'], 1, 'Missing required option: t'],
    [['topicRoute', '-q', '--json'], 1, 'Unrecognized option: -q'],
    [['updateTopic', '-t', 'T', '-b', '1:1', '-r', 'x', '--json'], 1, '"x" is not a whole number'],
    [['topicRoot', '--json', '--strict'], 1, 'The sub command topicRoot not exist.'],
    [['schedule', '--json', '--strict'], 1, 'options are missing: see mqadmin help'],
  ])('--json gives a wrong line as data: %s', async (argv, status, message) => {
    const { stdout, exitCode } = await ours(argv)
    const [command] = argv
    expect(JSON.parse(stdout)).toEqual({ command, error: { code: 'ERR_USAGE', message }, problems: [] })
    expect(exitCode).toBe(status)
  })

  test('--json always has a result or an error', async () => {
    const argv = ['queryCq', '-t', 'StoreSql', '-q', '0', '-i', '9999']
    expect(JSON.parse((await ours(argv, '--json')).stdout)).toMatchObject({
      result: null,
      problems: [expect.stringContaining('not exist')],
    })
  })

  test('sendMessage traces when it is asked to', async () => {
    const { stdout } = await ours(['sendMessage', '-t', 'StoreTopicB', '-p', 'x', '-m', 'true'], '--json')
    const { msgId } = JSON.parse(stdout).result
    const traced = async () => (await ours(['queryMsgTraceById', '-i', msgId], '--json')).stdout.includes('mqadmin-')
    await eventually(traced, 'the trace')
  })

  test.each([
    [['sendMessage', '-t', 'StoreTopicB', '-p', 'x', '-b', 'golden-a'], '-b without -i chooses nothing'],
    [['deleteTopic', '-t', 'NoSuchTopic', '-c', 'GoldenCluster'], 'the NameServer knows no topic NoSuchTopic'],
    [['wipeWritePerm', '-b', 'nobroker'], 'no topic of broker nobroker was changed'],
    [['deleteKvConfig', '-s', 'GOLD', '-k', 'nokey'], 'there is no key nokey'],
    [['getConsumerConfig', '-g', 'NoSuchGroup'], 'no broker knows group NoSuchGroup'],
    [['queryMsgByOffset', '-t', 'StoreSql', '-b', 'golden-a', '-i', '0', '-o', '99'], 'no message at offset 99'],
    [['updateBrokerConfig', '-b', JAVA_BROKER, '-k', 'noSuchKey', '-v', '1'], 'knows no setting noSuchKey'],
    [['clusterList', '-c', 'NoCluster'], 'the NameServer knows no cluster NoCluster'],
  ])('--strict tells when %s has no effect', async (argv, problem) => {
    expect((await ours(argv)).exitCode).toBe(0)
    const { stderr, exitCode } = await ours(argv, '--strict')
    expect(stderr).toContain(problem)
    expect(exitCode).toBe(2)
  })

  test('a body is written below the temporary folder whatever the id of its message', async () => {
    const topic = 'StoreTopicB'
    const { stdout } = await ours(['sendMessage', '-t', topic, '-p', 'hello', '-b', 'golden-a', '-i', '1'])
    expect(stdout).toContain('SEND_OK')
    const progress = await ours(['topicStatus', '-t', topic], '--json')
    const { queues } = JSON.parse(progress.stdout).result
    const offset = String(queues[1].maxOffset - 1)
    const argv = ['queryMsgByOffset', '-t', topic, '-b', 'golden-a', '-i', '1', '-o', offset]
    expect((await ours(argv, '-f', 'UTF-8')).stdout).toMatch(/^Message Body: +hello$/m)
    const { result } = JSON.parse((await ours(argv, '--json')).stdout)
    expect(result.body).toBe('hello')
    const byId = await ours(['queryMsgById', '-t', topic, '-i', result.offsetMsgId], '--json')
    expect(JSON.parse(byId.stdout).result[0].msgId).toBe(result.msgId)
  })

  test('a cluster given with -c is only the way to the brokers', async () => {
    const argv = ['queryMsgByKey', '-t', 'StoreTopicA', '-k', 'key-0']
    const { stdout } = await ours(argv)
    expect(stdout.split('\n')).toHaveLength(3)
    expect((await ours(argv, '-c', 'GoldenCluster')).stdout).toBe(stdout)
  })

  test('a message can be handed to a member of a group', async () => {
    const { stdout } = await ours(['consumerConnection', '-g', 'StoreGroupA'], '--json')
    const [{ clientId }] = JSON.parse(stdout).result.connections
    const found = await ours(
      ['queryMsgByOffset', '-t', 'StoreTopicA', '-b', 'golden-a', '-i', '1', '-o', '30'],
      '--json',
    )
    const { offsetMsgId } = JSON.parse(found.stdout).result
    const before = consumed
    const argv = ['queryMsgById', '-t', 'StoreTopicA', '-i', offsetMsgId, '-g', 'StoreGroupA', '-d', clientId]
    const handed = await ours(argv)
    expect(handed.stdout).toMatch(
      /^ConsumeMessageDirectlyResult \[order=false, autoCommit=true, consumeResult=CR_SUCCESS, remark=null, spentTimeMills=\d+\]$/,
    )
    expect(consumed).toBe(before + 1)
  })

  test('consumerProgress -s shows which member has which queue', async () => {
    const { stdout } = await ours(['consumerProgress', '-g', 'StoreGroupA', '-s', 'true'])
    expect(stdout.split('\n')[0]).toBe(mqadminRuns('consumerProgress').at(-2)!.stdout.split('\n')[0])
    expect(stdout).toMatch(/^StoreTopicA +golden-a +3 +30 +30 +\d+\.\d+\.\d+\.\d+ +0 +0 +\d{4}-/m)
  })
})
