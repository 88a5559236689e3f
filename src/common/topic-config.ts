import {
  type JsonValue,
  readBoolean,
  readEnum,
  readNumber,
  readObject,
  readString,
  readStringMap,
} from './json/index.js'
import { parseFastJson } from './json/parse-fast-json.js'
import { stringifyFastJson } from './json/stringify-fast-json.js'
import { PERM_READ_WRITE, permToString } from './perm.js'

export const topicFilterTypes = ['SINGLE_TAG', 'MULTI_TAG'] as const
export type TopicFilterType = (typeof topicFilterTypes)[number]

/** A topic as a broker keeps it. Its JSON has these names. */
export interface TopicConfig {
  topicName: string
  readQueueNums: number
  writeQueueNums: number
  perm: number
  topicFilterType: TopicFilterType
  topicSysFlag: number
  order: boolean
  attributes: Map<string, string>
}

const DEFAULT_QUEUE_NUMS = 16

export function newTopicConfig(topicName: string, values: Partial<Omit<TopicConfig, 'topicName'>> = {}): TopicConfig {
  return {
    topicName,
    readQueueNums: DEFAULT_QUEUE_NUMS,
    writeQueueNums: DEFAULT_QUEUE_NUMS,
    perm: PERM_READ_WRITE,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: new Map(),
    ...values,
  }
}

export function topicConfigFromJson(json: JsonValue | undefined): TopicConfig {
  const object = readObject(json)
  return {
    topicName: readString(object.topicName, ''),
    readQueueNums: readNumber(object.readQueueNums, DEFAULT_QUEUE_NUMS),
    writeQueueNums: readNumber(object.writeQueueNums, DEFAULT_QUEUE_NUMS),
    perm: readNumber(object.perm, PERM_READ_WRITE),
    topicFilterType: readEnum(object.topicFilterType, topicFilterTypes, 'SINGLE_TAG'),
    topicSysFlag: readNumber(object.topicSysFlag, 0),
    order: readBoolean(object.order, false),
    attributes: readStringMap(object.attributes),
  }
}

/**
 * The line form inside a compressed registration: `name readQueues writeQueues perm filterType {attributes}`. It has
 * no room for `order` and `topicSysFlag`.
 */
export function encodeTopicConfigLine(config: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType, attributes } = config
  return `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType} ${stringifyFastJson(attributes)}`
}

/** Reads {@link encodeTopicConfigLine}; undefined when it is no such line. Unreadable attributes are dropped. */
export function decodeTopicConfigLine(line: string): TopicConfig | undefined {
  const [topicName, read, write, perm, filterType, ...attributes] = line.split(' ')
  if (topicName === undefined || filterType === undefined) return undefined
  const numbers = [read, write, perm].map(Number)
  if (numbers.some(number => !Number.isInteger(number))) return undefined
  return newTopicConfig(topicName, {
    readQueueNums: numbers[0]!,
    writeQueueNums: numbers[1]!,
    perm: numbers[2]!,
    topicFilterType: readEnum(filterType, topicFilterTypes, 'SINGLE_TAG'),
    attributes: readAttributes(attributes.join(' ')),
  })
}

function readAttributes(text: string): Map<string, string> {
  try {
    return readStringMap(parseFastJson(text))
  } catch {
    // the topic matters more than attributes of another dialect
    return new Map()
  }
}

/** As Java prints it in remarks and logs. */
export function topicConfigToString(config: TopicConfig): string {
  const attributes = [...config.attributes].map(([key, value]) => `${key}=${value}`).join(', ')
  return (
    `TopicConfig [topicName=${config.topicName}, readQueueNums=${config.readQueueNums}, ` +
    `writeQueueNums=${config.writeQueueNums}, perm=${permToString(config.perm)}, ` +
    `topicFilterType=${config.topicFilterType}, topicSysFlag=${config.topicSysFlag}, order=${config.order}, ` +
    `attributes={${attributes}}]`
  )
}
