import { type JsonValue, readArray, readBoolean, readEnum, readNumber, readObject, readString } from './json/index.js'
import { type SubscriptionData, subscriptionDataFromJson } from './subscription-data.js'

export const consumeTypes = ['CONSUME_ACTIVELY', 'CONSUME_PASSIVELY', 'CONSUME_POP'] as const
export type ConsumeType = (typeof consumeTypes)[number]

export const messageModels = ['BROADCASTING', 'CLUSTERING'] as const
export type MessageModel = (typeof messageModels)[number]

export const consumeFromWheres = [
  'CONSUME_FROM_LAST_OFFSET',
  'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST',
  'CONSUME_FROM_MIN_OFFSET',
  'CONSUME_FROM_MAX_OFFSET',
  'CONSUME_FROM_FIRST_OFFSET',
  'CONSUME_FROM_TIMESTAMP',
] as const
export type ConsumeFromWhere = (typeof consumeFromWheres)[number]

export interface ProducerData {
  groupName: string
}

export interface ConsumerData {
  groupName: string
  consumeType: ConsumeType
  messageModel: MessageModel
  consumeFromWhere: ConsumeFromWhere
  subscriptionDataSet: SubscriptionData[]
  unitMode: boolean
}

/** The body of HEART_BEAT. Its JSON has these names. */
export interface HeartbeatData {
  clientID: string
  producerDataSet: ProducerData[]
  consumerDataSet: ConsumerData[]
  /** Of the subscriptions, for clients that leave them out while they do not change; 0 means it never does. */
  heartbeatFingerprint: number
  /** Subscriptions are left out: those the broker has still hold. */
  withoutSub: boolean
}

/** Reads a heartbeat body as all clients write it; C++ sends enums as ordinals and leaves members out. */
export function heartbeatDataFromJson(json: JsonValue | undefined): HeartbeatData {
  const object = readObject(json)
  return {
    clientID: readString(object.clientID, ''),
    producerDataSet: readArray(object.producerDataSet).map(producer => ({
      groupName: readString(readObject(producer).groupName, ''),
    })),
    consumerDataSet: readArray(object.consumerDataSet).map(consumerDataFromJson),
    heartbeatFingerprint: readNumber(object.heartbeatFingerprint, 0),
    withoutSub: readBoolean(object.withoutSub, false),
  }
}

function consumerDataFromJson(json: JsonValue): ConsumerData {
  const object = readObject(json)
  return {
    groupName: readString(object.groupName, ''),
    consumeType: readEnum(object.consumeType, consumeTypes, 'CONSUME_PASSIVELY'),
    messageModel: readEnum(object.messageModel, messageModels, 'CLUSTERING'),
    consumeFromWhere: readEnum(object.consumeFromWhere, consumeFromWheres, 'CONSUME_FROM_LAST_OFFSET'),
    subscriptionDataSet: readArray(object.subscriptionDataSet).map(subscriptionDataFromJson),
    unitMode: readBoolean(object.unitMode, false),
  }
}
