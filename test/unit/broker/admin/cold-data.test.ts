import { expect, test } from 'vitest'
import { RequestCode } from '../../../../src/common/index.js'
import { adminBroker } from './admin-broker.js'

const {
  UPDATE_COLD_DATA_FLOW_CTR_CONFIG: UPDATE,
  REMOVE_COLD_DATA_FLOW_CTR_CONFIG: REMOVE,
  GET_COLD_DATA_FLOW_CTR_INFO: INFO,
  SET_COMMITLOG_READ_MODE: READ_MODE,
} = RequestCode

test('limits of single groups are set, shown and taken away', async () => {
  const broker = await adminBroker()
  expect(await broker.call(UPDATE, { body: 'G=4096\nH=0\n' })).toMatchObject({ code: 0, remark: undefined })
  broker.coldReads.coldAcc('G', 12)
  const now = broker.clock.now()
  expect(await broker.json(INFO)).toEqual({
    globalAcc: 12,
    cgColdReadThreshold: 3_145_728,
    configTable: { G: 4096, H: 0 },
    globalColdReadThreshold: 104_857_600,
    runtimeTable: { G: { coldAcc: 12, createTimeMills: now, lastColdReadTimeMills: now } },
  })
  expect((await broker.call(REMOVE, { body: 'G' })).code).toBe(0)
  expect((await broker.call(REMOVE, { body: 'nobody' })).code).toBe(0)
  expect((await broker.json(INFO)).configTable).toEqual({ H: 0 })
})

test.each(['many', '-1', '1.5', '99999999999999999999', ''])(
  'a threshold of "%s" is refused, and nothing is set',
  async text => {
    const broker = await adminBroker()
    const refused = await broker.call(UPDATE, { body: `G=5\nH=${text}\n` })
    expect([refused.code, refused.remark]).toEqual([1, expect.stringContaining('the threshold of H must be')])
    expect(broker.coldReads.info.configTable.size).toBe(0)
  },
)

test.each([
  [{ READ_AHEAD_MODE: '1' }, 0, 'set commitlog readahead mode success, mode: 1', 'false'],
  [{ READ_AHEAD_MODE: '0' }, 0, 'set commitlog readahead mode success, mode: 0', 'true'],
  [{ READ_AHEAD_MODE: '2' }, 29, 'set commitlog readahead mode param value error', 'true'],
  [{ READ_AHEAD_MODE: 'x' }, 1, 'set commitlog readahead mode failed', 'true'],
  [undefined, 1, 'set commitlog readahead mode param error', 'true'],
])('the read mode %o gets %i', async (extFields, code, remark, value) => {
  const broker = await adminBroker()
  expect(await broker.call(READ_MODE, extFields ? { extFields } : {})).toMatchObject({ code, remark })
  expect(broker.configuration.asProperties()).toContain(`\ndataReadAheadEnable=${value}\n`)
})

test('the read mode reaches the files there are', async () => {
  const broker = await adminBroker()
  broker.send('T', 0)
  const told: boolean[] = []
  const file = broker.store.log.files.last!
  file.setReadAhead = isOn => {
    told.push(isOn)
    return file
  }
  await broker.call(READ_MODE, { extFields: { READ_AHEAD_MODE: '1' } })
  await broker.call(READ_MODE, { extFields: { READ_AHEAD_MODE: '0' } })
  expect(told).toEqual([false, true])
})
