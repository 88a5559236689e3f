import { expect, onTestFinished, test } from 'vitest'
import { decodeMessages } from '../../src/common/index.js'
import type { RemotingCommand } from '../../src/remoting/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { mqadminRuns } from '../support/mqadmin-golden.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import type { BrokerValues } from './client-system.js'
import { ScenarioBroker } from './scenarios-broker.js'

/** Flow control of reads of old data, with all data counting as old. */

const ALL_IS_COLD = { coldDataFlowControlEnable: true, accessMessageInMemoryHotRatio: 0 }
const BUSY = { code: 2, remark: 'This consumer group is reading cold data. It has been flow control' }

async function brokerWith20Messages(values: BrokerValues = {}): Promise<ScenarioBroker> {
  const broker = await ScenarioBroker.start({ values: { ...ALL_IS_COLD, cgColdReadThreshold: 1000, ...values } })
  await broker.createTopic('T')
  for (let i = 0; i < 20; i++) await broker.send({ body: 'x'.repeat(100) })
  return broker
}

const countOf = ({ code, body }: RemotingCommand): number => (code === 0 ? decodeMessages(body).length : -code)

test('a pull of a group that has read enough is held for 3 s and then given one message', async () => {
  const broker = await brokerWith20Messages()
  expect(countOf(await broker.pull())).toBe(20)
  const other = await broker.client().pull({ consumerGroup: 'Other' })
  expect(countOf(other)).toBe(20)
  const held = await broker.client().heldPull({ sysFlag: 4 })
  await broker.clock.advance(2999)
  expect(held.answer).toBeUndefined()
  await broker.clock.advance(1)
  const answer = await held.done
  expect([countOf(answer), answer.extFields?.nextBeginOffset]).toEqual([1, '1'])
})

test('one that is still held when the next window begins is given all it asked for', async () => {
  const broker = await brokerWith20Messages()
  await broker.pull()
  await broker.clock.advance(3000)
  const held = await broker.client().heldPull({ sysFlag: 4 })
  await broker.clock.advance(3000)
  expect(countOf(await held.done)).toBe(20)
})

test('a member that pushes is refused until the window ends', async () => {
  const broker = await brokerWith20Messages()
  await broker.heartbeat('c1', 'G', ['T'])
  expect(countOf(await broker.pull())).toBe(20)
  expect(await broker.pull()).toMatchObject(BUSY)
  await broker.clock.advance(5000)
  expect(countOf(await broker.pull())).toBe(20)
})

test('recent data, the end of the queue and groups of the system are not limited', async () => {
  const broker = await brokerWith20Messages()
  await broker.heartbeat('c1', 'G', ['T'])
  await broker.pull()
  expect(await broker.pull()).toMatchObject(BUSY)
  expect((await broker.pull({ queueOffset: 20 })).code).toBe(19)
  for (let i = 0; i < 2; i++) expect(countOf(await broker.pull({ consumerGroup: 'TOOLS_CONSUMER' }))).toBe(20)
  await broker.controller.context.configuration.update('accessMessageInMemoryHotRatio=100')
  expect(countOf(await broker.pull())).toBe(20)
})

test('without coldDataFlowControlEnable nothing is counted and nobody limited', async () => {
  const broker = await brokerWith20Messages({ coldDataFlowControlEnable: false })
  for (let i = 0; i < 3; i++) expect(countOf(await broker.pull())).toBe(20)
  expect(broker.controller.context.coldReads.info.runtimeTable.size).toBe(0)
})

test('a broker that stops answers the pulls it holds', async () => {
  const broker = await brokerWith20Messages()
  await broker.pull()
  const held = await broker.client().heldPull({ sysFlag: 4 })
  await broker.controller.stop()
  expect(countOf(await held.done)).toBe(1)
})

test('mqadmin says what that of Java says', async () => {
  const driver = await BrokerDriver.start(ALL_IS_COLD)
  onTestFinished(() => driver.stop())
  const here = (text: string): string =>
    text.replace('127.0.0.1:20911', driver.brokerAddr).replace('127.0.0.1:9976', driver.namesrvAddr)
  const run = (argv: readonly string[], ...more: string[]) => runMqadmin([...argv.map(here), ...more])
  const [before, after] = mqadminRuns('getColdDataFlowCtrInfo')
  const [update] = mqadminRuns('updateColdDataFlowCtrGroupConfig')
  const [remove] = mqadminRuns('removeColdDataFlowCtrGroupConfig')
  const [mode] = mqadminRuns('setCommitLogReadAheadMode')
  for (const java of [before!, update!, after!, remove!, before!, mode!]) {
    const { exitCode, stdout, stderr } = java
    expect(await run(java.argv)).toEqual({ exitCode, stdout: here(stdout), stderr })
  }

  await driver.send({ topic: 'T' })
  const [given] = await driver.pull('T', 0, 0, { consumerGroup: 'Reader' })
  const { stdout } = await run(before!.argv)
  const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g
  expect(stdout.slice(stdout.indexOf('\t"runtimeTable"')).replace(time, 'TIME')).toBe(
    [
      '\t"runtimeTable":{',
      '\t\t"Reader":{',
      '\t\t\t"createTimeFormat":"TIME",',
      '\t\t\t"lastColdReadTimeFormat":"TIME",',
      `\t\t\t"coldAcc":${given!.storeSize}`,
      '\t\t}',
      '\t}',
      '}',
      '',
    ].join('\n'),
  )
  const cluster = ['getColdDataFlowCtrInfo', '-n', driver.namesrvAddr, '-c', 'DefaultCluster']
  expect((await run(cluster)).stdout).toContain(` ============Master: ${driver.brokerAddr}============\n`)
  const { result } = JSON.parse((await run(before!.argv, '--json')).stdout)
  expect(result[driver.brokerAddr].runtimeTable.Reader.coldAcc).toBe(given!.storeSize)
})

test('mqadmin tells what was wrong', async () => {
  const driver = await BrokerDriver.start()
  onTestFinished(() => driver.stop())
  const to = ['-n', driver.namesrvAddr, '-b', driver.brokerAddr]
  const wrongMode = await runMqadmin(['setCommitLogReadAheadMode', ...to, '-m', '2', '--strict'])
  expect([wrongMode.exitCode, wrongMode.stdout]).toEqual([2, 'set the read mode error; 0 is default, 1 random read\n'])
  const set = ['updateColdDataFlowCtrGroupConfig', '-g', 'G', '-v', 'many']
  const wrongBytes = await runMqadmin([...set, ...to, '--strict'])
  expect([wrongBytes.exitCode, wrongBytes.stderr]).toEqual([2, expect.stringContaining('the threshold of G must be')])
  const nowhere = await runMqadmin(['getColdDataFlowCtrInfo', '-n', driver.namesrvAddr, '--strict'])
  expect([nowhere.exitCode, nowhere.stdout]).toEqual([2, ''])
})
