import { type GoldenStoreName, goldenManifest } from './golden.js'

/** What the manifest of a golden store says of one record. */
export interface GoldenMessage {
  readonly physicalOffset: number
  readonly size: number
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly sysFlag: number
  readonly flag: number
  readonly storeTimestamp: number
  readonly uniqueKey: string | null
  readonly keys: string | null
  readonly properties: Readonly<Record<string, string>>
  readonly rawSha256: string
}

export interface GoldenQueue {
  readonly topic: string
  readonly queueId: number
  readonly min: number
  readonly max: number
  /** Physical offset, size, tags code, from `min` on. */
  readonly entries: readonly [number, number, string][]
}

export interface GoldenBatchUnit {
  readonly offset: number
  readonly size: number
  readonly tagsCode: string
  readonly storeTimestamp: number
  readonly msgBaseOffset: number
  readonly batchSize: number
}

export interface GoldenIndexFile {
  readonly name: string
  readonly beginTimestamp: number
  readonly endTimestamp: number
  readonly beginPhyOffset: number
  readonly endPhyOffset: number
  readonly hashSlotCount: number
  readonly indexCount: number
  /** Key hash, physical offset, time difference, previous item. */
  readonly items: readonly [number, number, number, number][]
}

export interface GoldenStore {
  readonly brokerConfig: Readonly<Record<string, string>>
  readonly commitlog: {
    readonly files: readonly { name: string; size: number }[]
    readonly blanks: readonly { offset: number; size: number }[]
    readonly endOffset: number
    readonly records: number
  }
  readonly messages: readonly GoldenMessage[]
  readonly consumeQueues: readonly GoldenQueue[]
  readonly batchConsumeQueues: readonly { topic: string; queueId: number; entries: readonly GoldenBatchUnit[] }[]
  readonly indexFiles: readonly GoldenIndexFile[]
  readonly checkpoint: {
    readonly physicMsgTimestamp: number
    readonly logicsMsgTimestamp: number
    readonly indexMsgTimestamp: number
    readonly confirmPhyOffset: number
  }
  readonly abortFilePresent: boolean
}

export function goldenStoreManifest(name: GoldenStoreName): GoldenStore {
  return goldenManifest(name) as GoldenStore
}
