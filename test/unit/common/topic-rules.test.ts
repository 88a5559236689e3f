import { describe, expect, test } from 'vitest'
import {
  groupNameProblem,
  groupOfDerivedTopic,
  isSystemGroup,
  isSystemPullGroup,
  isSystemTopic,
  notAllowedSendTopics,
  popRetryTopic,
  topicAllowsLmq,
  topicNameProblem,
} from '../../../src/common/index.js'

describe('topic names', () => {
  test.each([
    ['TopicA', undefined],
    ['%RETRY%a|b_c-9', undefined],
    ['a'.repeat(127), undefined],
    [`%RETRY%${'a'.repeat(248)}`, undefined],
    ['', 'The specified topic is blank.'],
    [' \t', 'The specified topic is blank.'],
    ['a b', 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'],
    ['a\n', 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'],
    ['tópic', 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'],
    ['a'.repeat(128), 'The specified topic is longer than topic max length.'],
    [`%DLQ%${'a'.repeat(251)}`, 'The specified topic is longer than topic max length.'],
  ])('%j', (topic, problem) => {
    expect(topicNameProblem(topic)).toBe(problem)
  })

  test('group names', () => {
    expect(groupNameProblem('g'.repeat(255))).toBeUndefined()
    expect(groupNameProblem('g'.repeat(256))).toContain('is longer than group max length: 255')
    expect(groupNameProblem('g/1')).toContain('contains illegal characters')
    expect(groupNameProblem('')).toBe('The specified group is blank.')
  })

  test('system names', () => {
    expect(['TBW102', 'rmq_sys_x', 'TopicA', '%RETRY%g'].map(isSystemTopic)).toEqual([true, true, false, false])
    expect(['CID_RMQ_SYS_x', 'TOOLS_CONSUMER', 'g'].map(isSystemGroup)).toEqual([true, true, false])
    expect(['CID_RMQ_SYS_x', 'TOOLS_CONSUMER', 'DEFAULT_PRODUCER'].map(isSystemPullGroup)).toEqual([true, true, false])
    expect(notAllowedSendTopics.has('SCHEDULE_TOPIC_XXXX')).toBe(true)
    expect(notAllowedSendTopics.has('TBW102')).toBe(false)
  })

  test('derived names', () => {
    expect(popRetryTopic('T', 'G')).toBe('%RETRY%G_T')
    expect(popRetryTopic('T', 'G', true)).toBe('%RETRY%G+T')
    expect(['%RETRY%G', '%DLQ%G', 'G'].map(groupOfDerivedTopic)).toEqual(['G', 'G', undefined])
    expect(['T', '%RETRY%G', 'rmq_sys_x', 'SCHEDULE_TOPIC_XXXX'].map(topicAllowsLmq)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})
