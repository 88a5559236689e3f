import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import {
  type DataVersion,
  dataVersionFromJson,
  decodeTopicConfigLine,
  isJsonObject,
  type JsonValue,
  parseFastJson,
  readObject,
  readStrings,
  type TopicConfig,
  topicConfigFromJson,
  VersionMark,
} from '../common/index.js'
import { MQError } from '../util/index.js'
import type { RegisteredTopics } from './register-broker.js'
import { type TopicQueueMappingInfo, topicQueueMappingInfoFromJson } from './topic-queue-mapping-info.js'

/** What a registration carries beside its header. */
export interface RegisterBrokerBody {
  readonly topics: RegisteredTopics
  /** Undefined in the form of brokers before 3.0.11, which say nothing of filter servers. */
  readonly filterServerList: readonly string[] | undefined
}

/** How a body is written: that follows from the header. */
export interface BodyForm {
  /** MQVersion ordinal of the broker. */
  readonly version: number
  readonly compressed: boolean
}

/** More than any broker's topics take; a small body must not unpack into all of the memory. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024

const inflateAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate)

/**
 * Reads a body in any of its forms (namesrv-and-admin 2.5); an empty one stands for no topics.
 * @throws MQError ERR_REGISTER_BODY (or ERR_JSON_SYNTAX) when it is none of them.
 */
export function decodeRegisterBrokerBody(
  body: Buffer,
  form: BodyForm,
): RegisterBrokerBody | Promise<RegisterBrokerBody> {
  const isOld = form.version < VersionMark.V3_0_11
  if (body.length === 0) return { topics: topicsFromJson(undefined), filterServerList: isOld ? undefined : [] }
  if (isOld) return { topics: topicsFromJson(objectIn(body)), filterServerList: undefined }
  if (form.compressed) return unpack(body, form.version)
  const { topicConfigSerializeWrapper, filterServerList } = readObject(objectIn(body))
  return { topics: topicsFromJson(topicConfigSerializeWrapper), filterServerList: readStrings(filterServerList) }
}

function objectIn(body: Buffer): JsonValue {
  const json = parseFastJson(body)
  if (!isJsonObject(json)) throw unreadable('it is not a JSON object')
  return json
}

function topicsFromJson(json: JsonValue | undefined): RegisteredTopics {
  const wrapper = readObject(json)
  const topicConfigTable = new Map<string, TopicConfig>()
  for (const [key, value] of Object.entries(readObject(wrapper.topicConfigTable))) {
    const config = topicConfigFromJson(value)
    if (config.topicName === '') config.topicName = key
    topicConfigTable.set(key, config)
  }
  const mappings = Object.entries(readObject(wrapper.topicQueueMappingInfoMap))
  return {
    dataVersion: dataVersionFromJson(wrapper.dataVersion),
    topicConfigTable,
    topicQueueMappingInfoMap: new Map(mappings.map(([topic, info]) => [topic, topicQueueMappingInfoFromJson(info)])),
  }
}

async function unpack(body: Buffer, version: number): Promise<RegisterBrokerBody> {
  let bytes: Buffer
  try {
    bytes = await inflateAsync(body, { maxOutputLength: MAX_UNPACKED_BYTES })
  } catch (error) {
    throw unreadable(`it cannot be unpacked (${(error as Error).message})`, error)
  }
  const reader = new SizedReader(bytes)
  const dataVersion: DataVersion = dataVersionFromJson(parseFastJson(reader.text()))
  const topicConfigTable = new Map<string, TopicConfig>()
  for (let left = reader.count(); left > 0; left--) {
    const line = reader.text()
    const config = decodeTopicConfigLine(line)
    if (config === undefined) throw unreadable(`${JSON.stringify(line.slice(0, 100))} is not a topic`)
    topicConfigTable.set(config.topicName, config)
  }
  const filterServerList = readStrings(parseFastJson(reader.text()))
  const topicQueueMappingInfoMap = new Map<string, TopicQueueMappingInfo>()
  if (version >= VersionMark.V5_0_0) {
    for (let left = reader.count(); left > 0; left--) {
      const info = topicQueueMappingInfoFromJson(parseFastJson(reader.text()))
      topicQueueMappingInfoMap.set(info.topic, info)
    }
  }
  return { topics: { dataVersion, topicConfigTable, topicQueueMappingInfoMap }, filterServerList }
}

/** Numbers of four bytes, big-endian, and texts with their length before them. */
class SizedReader {
  private at = 0

  constructor(private readonly bytes: Buffer) {}

  count(): number {
    if (this.bytes.length - this.at < 4) throw unreadable(`it ends after ${this.bytes.length} unpacked bytes`)
    const count = this.bytes.readInt32BE(this.at)
    this.at += 4
    if (count < 0 || count > this.bytes.length - this.at) throw unreadable(`a length in it is ${count}`)
    return count
  }

  text(): string {
    const length = this.count()
    this.at += length
    return this.bytes.toString('utf8', this.at - length, this.at)
  }
}

function unreadable(why: string, cause?: unknown): MQError {
  return new MQError('ERR_REGISTER_BODY', why, { cause })
}
