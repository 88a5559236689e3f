import { MQError } from '../util/index.js'

export const messageTypes = ['UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'] as const
export type TopicMessageType = (typeof messageTypes)[number]

interface Attribute {
  readonly changeable: boolean
  readonly defaultValue: string
  /** What is wrong with a value, in Java's words; undefined when nothing is. */
  readonly problem: (value: string) => string | undefined
}

function oneOf(values: readonly string[], defaultValue: string, changeable: boolean): Attribute {
  const problem = (value: string): string | undefined =>
    values.includes(value) ? undefined : `value is not in set: [${values.join(', ')}]`
  return { changeable, defaultValue, problem }
}

function longBetween(min: bigint, max: bigint, defaultValue: string): Attribute {
  const problem = (value: string): string | undefined => {
    if (!/^[+-]?\d+$/.test(value)) return `For input string: "${value}"`
    const number = BigInt(value.replace(/^\+/, ''))
    return number < min || number > max ? `value is not in range(${min}, ${max})` : undefined
  }
  return { changeable: true, defaultValue, problem }
}

export const TopicAttribute = {
  QUEUE_TYPE: 'queue.type',
  CLEANUP_POLICY: 'cleanup.policy',
  MESSAGE_TYPE: 'message.type',
  RESERVE_TIME: 'reserve.time',
} as const

const MAX_LONG = 2n ** 63n - 1n

/** The attributes a topic may have (wire-protocol 7.7). */
const topicAttributes: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  [TopicAttribute.QUEUE_TYPE, oneOf(['BatchCQ', 'SimpleCQ'], 'SimpleCQ', false)],
  [TopicAttribute.CLEANUP_POLICY, oneOf(['DELETE', 'COMPACTION'], 'DELETE', false)],
  [TopicAttribute.MESSAGE_TYPE, oneOf(messageTypes, 'NORMAL', true)],
  [TopicAttribute.RESERVE_TIME, longBetween(-1n, MAX_LONG, '-1')],
])

/** A change of attributes that is refused; the message is Java's, and goes out as the remark of code 1. */
export class AttributeError extends MQError {
  constructor(message: string) {
    super('ERR_BAD_ATTRIBUTE', message)
  }
}

/** The value of an attribute of a topic, or its default. */
export function topicAttribute(attributes: ReadonlyMap<string, string>, key: string): string | undefined {
  return attributes.get(key) ?? topicAttributes.get(key)?.defaultValue
}

/** Whether the batches of a topic with these attributes are one record each. */
export function keepsBatches(attributes: ReadonlyMap<string, string>): boolean {
  return topicAttribute(attributes, TopicAttribute.QUEUE_TYPE) === 'BatchCQ'
}

/** Parses `+key=value,-key` into signed keys and values (empty for `-`). Throws {@link AttributeError}. */
export function parseAttributes(text: string | undefined): Map<string, string> {
  const changes = new Map<string, string>()
  for (const part of text ? text.split(',') : []) {
    const [key = '', value] = part.split('=')
    if (value === undefined && !key.includes('-')) throw new AttributeError(`delete attribute format is wrong: ${key}`)
    if (value !== undefined && !key.includes('+')) {
      throw new AttributeError(`add/alter attribute format is wrong: ${key}`)
    }
    if (changes.has(key)) throw new AttributeError(`key duplication: ${key}`)
    changes.set(key, value ?? '')
  }
  return changes
}

/** Writes what {@link parseAttributes} reads. */
export function formatAttributes(changes: ReadonlyMap<string, string>): string {
  return [...changes].map(([key, value]) => (value === '' ? key : `${key}=${value}`)).join(',')
}

/**
 * Applies signed changes to the attributes of a topic and gives the new ones. `current` is undefined when the topic is
 * being created, which only `+` may do. Throws {@link AttributeError}.
 */
export function alterTopicAttributes(
  current: ReadonlyMap<string, string> | undefined,
  changes: ReadonlyMap<string, string>,
): Map<string, string> {
  const result = new Map(current)
  const seen = new Set<string>()
  for (const [signedKey, value] of changes) {
    const key = signedKey.slice(1)
    if (key === '' || /[+-]/.test(key)) throw new AttributeError('kv string format wrong.')
    if (seen.has(key)) throw new AttributeError(`alter duplication key. key: ${key}`)
    seen.add(key)
    const deletes = isDeletion(signedKey, current)
    if (deletes && current?.has(key) !== true) throw new AttributeError(`attempt to delete a nonexistent key: ${key}`)
    checkChange({ key, value, creates: current === undefined, deletes })
    if (deletes) result.delete(key)
    else result.set(key, value)
  }
  return result
}

function isDeletion(signedKey: string, current: ReadonlyMap<string, string> | undefined): boolean {
  if (signedKey.startsWith('+')) return false
  const key = signedKey.slice(1)
  if (current === undefined) {
    throw new AttributeError(`only add attribute is supported while creating topic. key: ${key}`)
  }
  if (!signedKey.startsWith('-')) throw new AttributeError(`wrong format key: ${key}`)
  return true
}

function checkChange(change: { key: string; value: string; creates: boolean; deletes: boolean }): void {
  const attribute = topicAttributes.get(change.key)
  if (attribute === undefined) throw new AttributeError(`unsupported key: ${change.key}`)
  if (!change.creates && !attribute.changeable) {
    throw new AttributeError(`attempt to update an unchangeable attribute. key: ${change.key}`)
  }
  const problem = change.deletes ? undefined : attribute.problem(change.value)
  if (problem !== undefined) throw new AttributeError(problem)
}
