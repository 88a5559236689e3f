import { describe, expect, test } from 'vitest'
import {
  alterTopicAttributes,
  buildSubscriptionData,
  compareDataVersions,
  compareMessageQueues,
  decodeTopicConfigLine,
  encodeTopicConfigLine,
  formatAttributes,
  heartbeatDataFromJson,
  newDataVersion,
  newSubscriptionGroupConfig,
  newTopicConfig,
  nextDataVersion,
  nextRetryDelay,
  parseAttributes,
  parseFastJson,
  sameSubscription,
  stringifyFastJson,
  subscriptionGroupConfigFromJson,
  topicConfigFromJson,
  topicConfigToString,
  topicRouteDataFromJson,
} from '../../../src/common/index.js'
import { ManualClock } from '../../support/manual-clock.js'

describe('topic attributes', () => {
  const alter = (current: Record<string, string> | undefined, text: string) => () =>
    Object.fromEntries(alterTopicAttributes(current && new Map(Object.entries(current)), parseAttributes(text)))

  test('are added, changed and deleted', () => {
    expect(alter(undefined, '+message.type=FIFO,+queue.type=BatchCQ')()).toEqual({
      'message.type': 'FIFO',
      'queue.type': 'BatchCQ',
    })
    expect(alter({ 'message.type': 'FIFO', 'reserve.time': '5' }, '+message.type=DELAY,-reserve.time')()).toEqual({
      'message.type': 'DELAY',
    })
    expect(alter({ 'message.type': 'FIFO' }, '')()).toEqual({ 'message.type': 'FIFO' })
    expect(formatAttributes(parseAttributes('+a=1,-b'))).toBe('+a=1,-b')
  })

  test.each([
    [undefined, '+nope=1', 'unsupported key: nope'],
    [
      { 'queue.type': 'SimpleCQ' },
      '+queue.type=BatchCQ',
      'attempt to update an unchangeable attribute. key: queue.type',
    ],
    [{}, '-message.type', 'attempt to delete a nonexistent key: message.type'],
    [undefined, '-message.type', 'only add attribute is supported while creating topic. key: message.type'],
    [{}, 'x+message.type=FIFO', 'wrong format key: +message.type', 'kv string format wrong.'],
    [{}, '+a+b=1', 'kv string format wrong.'],
    [
      { 'message.type': 'FIFO' },
      '+message.type=A,-message.type',
      'alter duplication key. key: message.type',
      'value is',
    ],
    [{}, '+a=1,+a=2', 'key duplication: +a'],
    [{}, 'a=1', 'add/alter attribute format is wrong: a'],
    [{}, 'a', 'delete attribute format is wrong: a'],
    [{}, '+reserve.time=-2', 'value is not in range(-1, 9223372036854775807)'],
    [{}, '+reserve.time=x', 'For input string: "x"'],
  ])('%j with %s is refused: %s', (current, text, message, instead = message) => {
    expect(alter(current, text)).toThrow(instead)
  })
})

describe('topic config', () => {
  const config = newTopicConfig('T', { perm: 7, attributes: new Map([['message.type', 'FIFO']]), order: true })

  test('survives its JSON, with keys in alphabetical order', () => {
    const json = stringifyFastJson(config)
    expect(json).toBe(
      '{"attributes":{"message.type":"FIFO"},"order":true,"perm":7,"readQueueNums":16,' +
        '"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":16}',
    )
    expect(topicConfigFromJson(parseFastJson(json))).toEqual(config)
  })

  test('its line form loses order and sysFlag only', () => {
    const line = encodeTopicConfigLine(config)
    expect(line).toBe('T 16 16 7 SINGLE_TAG {"message.type":"FIFO"}')
    expect(decodeTopicConfigLine(line)).toEqual({ ...config, order: false })
    expect(decodeTopicConfigLine('T 1 2 6 MULTI_TAG')).toEqual(
      newTopicConfig('T', { readQueueNums: 1, writeQueueNums: 2, topicFilterType: 'MULTI_TAG' }),
    )
    expect(decodeTopicConfigLine('T 1 2 6 SINGLE_TAG {broken')?.attributes.size).toBe(0)
    expect(decodeTopicConfigLine('T 1 x 6 SINGLE_TAG {}')).toBeUndefined()
    expect(decodeTopicConfigLine('T 1')).toBeUndefined()
  })

  test('prints as Java prints it', () => {
    expect(topicConfigToString(newTopicConfig('GoldTopic', { readQueueNums: 2, writeQueueNums: 2 }))).toBe(
      'TopicConfig [topicName=GoldTopic, readQueueNums=2, writeQueueNums=2, perm=RW-, topicFilterType=SINGLE_TAG, ' +
        'topicSysFlag=0, order=false, attributes={}]',
    )
  })
})

describe('subscription groups', () => {
  test('survive their JSON', () => {
    const group = newSubscriptionGroupConfig('G', {
      retryMaxTimes: 3,
      consumeEnable: false,
      groupRetryPolicy: { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: 1, max: 9, multiplier: 2 } },
      subscriptionDataSet: [{ topic: 'T', expressionType: 'TAG', expression: '*', version: 7 }],
    })
    expect(subscriptionGroupConfigFromJson(parseFastJson(stringifyFastJson(group)))).toEqual(group)
    expect(subscriptionGroupConfigFromJson(parseFastJson('{"groupName":"G"}'))).toEqual(newSubscriptionGroupConfig('G'))
  })

  test('retry delays', () => {
    const usual = newSubscriptionGroupConfig('G').groupRetryPolicy
    expect([-1, 0, 1, 15, 99].map(times => nextRetryDelay(usual, times))).toEqual([
      10_000, 10_000, 30_000, 7_200_000, 7_200_000,
    ])
    const doubling = { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: 10, max: 75, multiplier: 2 } } as const
    expect([0, 1, 2, 3, 99].map(times => nextRetryDelay(doubling, times))).toEqual([10, 20, 40, 75, 75])
    const own = { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1, 2, 3, 4] } } as const
    expect(
      [0, 1, 2].map(times => nextRetryDelay({ ...own, customizedRetryPolicy: { next: [1, 2, 3, 4] } }, times)),
    ).toEqual([3, 4, 4])
  })
})

describe('subscriptions', () => {
  test('tags are split, trimmed and hashed', () => {
    const data = buildSubscriptionData({ topic: 'T', expression: ' TagA || TagB||', subVersion: 5 })
    expect(data).toMatchObject({ subString: ' TagA || TagB||', subVersion: 5, expressionType: 'TAG' })
    expect([...data.tagsSet]).toEqual(['TagA', 'TagB'])
    expect([...data.codeSet]).toEqual([2598919, 2598920])
  })

  test.each([undefined, '', '*'])('%j takes everything', expression => {
    const data = buildSubscriptionData({ topic: 'T', expression, subVersion: 1 })
    expect(data.subString).toBe('*')
    expect(data.tagsSet.size).toBe(0)
  })

  test('nothing but separators, and SQL92 without text, are refused', () => {
    const build = (expression: string, expressionType: string) => () =>
      buildSubscriptionData({ topic: 'T', expression, expressionType, subVersion: 1 })
    expect(build('||', 'TAG')).toThrow('subString split error')
    expect(build('', 'SQL92')).toThrow("Expression can't be null! SQL92")
    expect(build('a > 1', 'SQL92')()).toMatchObject({ subString: 'a > 1', expressionType: 'SQL92' })
  })

  test('equal apart from the version', () => {
    const build = (expression: string, subVersion: number) =>
      buildSubscriptionData({ topic: 'T', expression, subVersion })
    expect(sameSubscription(build('a||b', 1), build('a||b', 2))).toBe(true)
    expect(sameSubscription(build('a', 1), build('b', 1))).toBe(false)
  })
})

test('data versions compare by state, then counter, then time', () => {
  const clock = new ManualClock(1000)
  const version = newDataVersion(clock)
  const before = { ...version }
  nextDataVersion(version, clock)
  expect(version).toEqual({ counter: 1, stateVersion: 0, timestamp: 1000 })
  expect(compareDataVersions(before, version)).toBeLessThan(0)
  expect(compareDataVersions({ ...before, stateVersion: 1 }, version)).toBeGreaterThan(0)
  expect(compareDataVersions({ ...version, timestamp: 999 }, version)).toBeLessThan(0)
})

test('message queues sort by topic, broker, id', () => {
  const queues = [
    { topic: 'b', brokerName: 'a', queueId: 0 },
    { topic: 'a', brokerName: 'b', queueId: 10 },
    { topic: 'a', brokerName: 'b', queueId: 9 },
    { topic: 'a', brokerName: 'B', queueId: 99 },
  ]
  expect(queues.sort(compareMessageQueues).map(q => q.queueId)).toEqual([99, 9, 10, 0])
})

test('a heartbeat of the C++ client: ordinals, numbers as text, members left out', () => {
  const body =
    '{"clientID":"x","consumerDataSet":[{"consumeFromWhere":0,"consumeType":1,"groupName":"g","messageModel":1,' +
    '"subscriptionDataSet":[{"codeSet":[],"subString":"*","subVersion":"123","tagsSet":null,"topic":"T"}]}]}'
  expect(heartbeatDataFromJson(parseFastJson(body))).toEqual({
    clientID: 'x',
    producerDataSet: [],
    consumerDataSet: [
      {
        groupName: 'g',
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        unitMode: false,
        subscriptionDataSet: [buildSubscriptionData({ topic: 'T', subVersion: 123 })],
      },
    ],
    heartbeatFingerprint: 0,
    withoutSub: false,
  })
})

test('a route with unquoted broker ids is written with quoted ones', () => {
  const text =
    '{"brokerDatas":[{"brokerAddrs":{0:"h:1",1:"h:2"},"brokerName":"b","cluster":"c","enableActingMaster":false}],' +
    '"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}'
  const route = topicRouteDataFromJson(parseFastJson(text))
  expect(route.brokerDatas[0]?.brokerAddrs).toEqual(
    new Map([
      [0, 'h:1'],
      [1, 'h:2'],
    ]),
  )
  expect(stringifyFastJson(route)).toBe(text.replace('{0:', '{"0":').replace(',1:', ',"1":'))
})
