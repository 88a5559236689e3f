import { type JsonValue, readBoolean, readNumber, readObject, readString } from '../common/index.js'

/** Which queues of a static topic a broker holds: logical queue id to its own. Its JSON has these names. */
export interface TopicQueueMappingInfo {
  bname: string
  currIdMap: Map<number, number>
  dirty: boolean
  epoch: number
  scope: string
  topic: string
  totalQueues: number
}

const GLOBAL_SCOPE = '__global__'

export function topicQueueMappingInfoFromJson(json: JsonValue | undefined): TopicQueueMappingInfo {
  const object = readObject(json)
  const ids = Object.entries(readObject(object.currIdMap))
  return {
    bname: readString(object.bname, ''),
    currIdMap: new Map(ids.map(([logical, physical]) => [Number(logical), readNumber(physical, 0)])),
    dirty: readBoolean(object.dirty, false),
    epoch: readNumber(object.epoch, 0),
    scope: readString(object.scope, GLOBAL_SCOPE),
    topic: readString(object.topic, ''),
    totalQueues: readNumber(object.totalQueues, 0),
  }
}
