import { describe, expect, it } from 'vitest'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import {
  ForbiddenBit,
  SubscriptionGroupManager,
} from '../../../../src/broker/subscription/subscription-group-manager.js'
import { newSubscriptionGroupConfig } from '../../../../src/common/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

function manager(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts(overrides)
  return { ...parts, groups: new SubscriptionGroupManager(parts) }
}

describe('SubscriptionGroupManager', () => {
  it('has the groups every broker has', () => {
    const names = [...manager().groups.subscriptionGroupTable.keys()]
    expect(names.sort()).toEqual([
      'CID_ONS-HTTP-PROXY',
      'CID_ONSAPI_OWNER',
      'CID_ONSAPI_PERMISSION',
      'CID_ONSAPI_PULL',
      'CID_RMQ_SYS_TRANS',
      'FILTERSRV_CONSUMER',
      'SELF_TEST_C_GROUP',
      'TOOLS_CONSUMER',
    ])
  })

  it('creates a group for its first consumer, once, with a new version', () => {
    const { groups } = manager()
    const { counter } = groups.dataVersion
    expect(groups.getSubscriptionGroupConfig('G')).toBeUndefined()
    const config = groups.findSubscriptionGroupConfig('G')
    expect(config).toEqual(newSubscriptionGroupConfig('G'))
    expect(groups.findSubscriptionGroupConfig('G')).toBe(config)
    expect(groups.dataVersion.counter).toBe(counter + 1)
    expect(groups.findSubscriptionGroupConfig('bad name')).toBeUndefined()
    expect(groups.findSubscriptionGroupConfig('')).toBeUndefined()
  })

  it('creates only groups of the system when groups may not create themselves', () => {
    const { groups } = manager({ autoCreateSubscriptionGroup: false })
    expect(groups.findSubscriptionGroupConfig('G')).toBeUndefined()
    expect(groups.findSubscriptionGroupConfig('CID_RMQ_SYS_X')?.groupName).toBe('CID_RMQ_SYS_X')
    const strict = manager({ autoCreateSubscriptionGroup: false, enableCreateSysGroup: false })
    expect(strict.groups.findSubscriptionGroupConfig('CID_RMQ_SYS_X')).toBeUndefined()
  })

  it('checks what an operator writes', () => {
    const { groups } = manager()
    expect(() => groups.updateSubscriptionGroupConfig(newSubscriptionGroupConfig('a b'))).toThrow(
      expect.objectContaining({ code: 29 }),
    )
    const attributes = new Map([['+x', '1']])
    expect(() => groups.updateSubscriptionGroupConfig(newSubscriptionGroupConfig('G', { attributes }))).toThrow(
      expect.objectContaining({ code: 1, remark: 'unsupported key: x' }),
    )
    expect(groups.containsSubscriptionGroup('G')).toBe(false)
  })

  it('sets and clears forbidden bits; the last bit of a topic takes the group with it', () => {
    const { groups } = manager()
    groups.updateForbidden('G', 'A', ForbiddenBit.READ, true)
    groups.updateForbidden('G', 'A', ForbiddenBit.WRITE, true)
    groups.updateForbidden('G', 'B', ForbiddenBit.READ, true)
    expect(groups.getForbidden('G', 'A')).toBe(6)
    expect(groups.isForbidden('G', 'A', ForbiddenBit.READ)).toBe(true)
    expect(groups.isForbidden('G', 'C', ForbiddenBit.READ)).toBe(false)
    groups.updateForbidden('G', 'A', ForbiddenBit.WRITE, false)
    expect(groups.getForbidden('G', 'A')).toBe(4)
    groups.updateForbidden('G', 'A', ForbiddenBit.READ, false)
    expect(groups.getForbidden('G', 'B')).toBe(0)
  })

  it('reads back what it wrote', async () => {
    const first = manager()
    first.groups.updateSubscriptionGroupConfig(
      newSubscriptionGroupConfig('G', {
        retryMaxTimes: 3,
        consumeMessageOrderly: true,
        groupRetryPolicy: { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: 1, max: 9, multiplier: 3 } },
      }),
    )
    first.groups.updateForbidden('G', 'A', ForbiddenBit.READ, true)
    first.groups.findSubscriptionGroupConfig('Gone')
    first.groups.disableConsume('Gone')
    expect(first.groups.getSubscriptionGroupConfig('Gone')?.consumeEnable).toBe(false)
    const { counter } = first.groups.dataVersion
    expect(first.groups.deleteSubscriptionGroupConfig('Gone')).toBe(true)
    expect(first.groups.dataVersion.counter).toBe(counter + 1)
    expect(first.groups.deleteSubscriptionGroupConfig('Gone')).toBe(false)
    await first.groups.stop()
    const second = manager({ storePathRootDir: first.settings.storePathRootDir })
    second.groups.load()
    expect(new Map(second.groups.subscriptionGroupTable)).toEqual(new Map(first.groups.subscriptionGroupTable))
    expect(second.groups.getForbidden('G', 'A')).toBe(4)
    expect(second.groups.dataVersion).toEqual(first.groups.dataVersion)
    await second.groups.stop()
  })
})
