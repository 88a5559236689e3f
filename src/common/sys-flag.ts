/** Bits of a message's `sysFlag` (wire-protocol 7.2). The transaction type and the compression type are numbers. */
export const MessageSysFlag = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_NOT_TYPE: 0x0,
  TRANSACTION_PREPARED_TYPE: 0x4,
  TRANSACTION_COMMIT_TYPE: 0x8,
  TRANSACTION_ROLLBACK_TYPE: 0xc,
  BORNHOST_V6: 0x10,
  STOREHOSTADDRESS_V6: 0x20,
  NEED_UNWRAP: 0x40,
  INNER_BATCH: 0x80,
  COMPRESSION_LZ4_TYPE: 0x100,
  COMPRESSION_ZSTD_TYPE: 0x200,
  COMPRESSION_ZLIB_TYPE: 0x300,
} as const

const TRANSACTION_MASK = 0xc
const COMPRESSION_MASK = 0x700

export type CompressionType = 'ZLIB' | 'LZ4' | 'ZSTD'

/** One of `MessageSysFlag.TRANSACTION_*`. */
export function transactionType(sysFlag: number): number {
  return sysFlag & TRANSACTION_MASK
}

/** `sysFlag` with its transaction type replaced by one of `MessageSysFlag.TRANSACTION_*`. */
export function withTransactionType(sysFlag: number, type: number): number {
  return (sysFlag & ~TRANSACTION_MASK) | type
}

export function isCompressed(sysFlag: number): boolean {
  return (sysFlag & MessageSysFlag.COMPRESSED) !== 0
}

const compressionByNumber: Readonly<Record<number, CompressionType>> = {
  // clients before compression types set none, and knew only zlib
  0: 'ZLIB',
  [MessageSysFlag.COMPRESSION_LZ4_TYPE]: 'LZ4',
  [MessageSysFlag.COMPRESSION_ZSTD_TYPE]: 'ZSTD',
  [MessageSysFlag.COMPRESSION_ZLIB_TYPE]: 'ZLIB',
}

/** How a compressed body is packed; undefined for a number nobody has defined. */
export function compressionType(sysFlag: number): CompressionType | undefined {
  return compressionByNumber[sysFlag & COMPRESSION_MASK]
}

const numberByCompression: Readonly<Record<CompressionType, number>> = {
  LZ4: MessageSysFlag.COMPRESSION_LZ4_TYPE,
  ZSTD: MessageSysFlag.COMPRESSION_ZSTD_TYPE,
  ZLIB: MessageSysFlag.COMPRESSION_ZLIB_TYPE,
}

/** `sysFlag` marked as compressed with the given type. */
export function withCompression(sysFlag: number, type: CompressionType): number {
  return (sysFlag & ~COMPRESSION_MASK) | MessageSysFlag.COMPRESSED | numberByCompression[type]
}

/** Bits of a pull request's `sysFlag`. */
export const PullSysFlag = {
  COMMIT_OFFSET: 0x1,
  SUSPEND: 0x2,
  SUBSCRIPTION: 0x4,
  CLASS_FILTER: 0x8,
  LITE_PULL_MESSAGE: 0x10,
} as const

/** Bits of a topic's `topicSysFlag`. */
export const TopicSysFlag = { UNIT: 0x1, UNIT_SUB: 0x2 } as const

/** Whether all bits of `bits` are set in `flag`. */
export function hasFlag(flag: number, bits: number): boolean {
  return (flag & bits) === bits
}
