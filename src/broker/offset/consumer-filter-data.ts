import {
  type BloomFilterData,
  type JsonValue,
  readArray,
  readNumber,
  readObject,
  readString,
  type SqlFilter,
} from '../../common/index.js'

/** The SQL92 expression of one group on one topic. Its JSON, in consumerFilter.json, has these names. */
export interface ConsumerFilterData {
  consumerGroup: string
  topic: string
  expression: string
  expressionType: string
  /** Missing when the expression of an old file does not compile; never saved. */
  compiledExpression?: SqlFilter
  /** Ms when this expression was first seen. */
  bornTime: number
  /**
   * End of the log then: bits of messages in front of it say nothing of this expression. Ours alone: unlike
   * {@link bornTime} it does not depend on clocks. Missing in what the Java broker has written.
   */
  bornOffset?: number
  /** Ms when its last consumer left; 0 while there is one. */
  deadTime: number
  bloomFilterData?: BloomFilterData
  /** `subVersion` of the subscription. */
  clientVersion: number
}

/** Whether no consumer uses it now. */
export function isDead(data: ConsumerFilterData): boolean {
  return data.deadTime >= data.bornTime
}

export function consumerFilterDataToJson(data: ConsumerFilterData): object {
  const { compiledExpression: _, ...members } = data
  return { ...members, dead: isDead(data) }
}

/** Without the compiled expression. */
export function consumerFilterDataFromJson(json: JsonValue): ConsumerFilterData {
  const object = readObject(json)
  const bloom = readObject(object.bloomFilterData)
  return {
    consumerGroup: readString(object.consumerGroup, ''),
    topic: readString(object.topic, ''),
    expression: readString(object.expression, ''),
    expressionType: readString(object.expressionType, ''),
    bornTime: readNumber(object.bornTime, 0),
    deadTime: readNumber(object.deadTime, 0),
    clientVersion: readNumber(object.clientVersion, 0),
    ...(object.bornOffset !== undefined && { bornOffset: readNumber(object.bornOffset, 0) }),
    ...(object.bloomFilterData === undefined
      ? {}
      : {
          bloomFilterData: {
            bitNum: readNumber(bloom.bitNum, 0),
            bitPos: readArray(bloom.bitPos).map(position => readNumber(position, 0)),
          },
        }),
  }
}
