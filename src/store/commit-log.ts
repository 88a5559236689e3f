import { BLANK_MAGIC, bodyLengthPosition, MessageSysFlag, RecordPosition } from '../common/index.js'
import { type Clock, type Disk, errorText, type Logger } from '../util/index.js'
import { BatchElementReader } from './batch-element-reader.js'
import { crc31 } from './crc.js'
import { forcibleRatio, usedRatio } from './disk-ratio.js'
import { setInt64, viewOf } from './int64-view.js'
import type { MappedFile } from './mapped-file.js'
import { MappedFileQueue } from './mapped-file-queue.js'
import { PagePrefaulter } from './page-prefaulter.js'
import { withCrcReserve, writePropertyCrc } from './property-crc.js'
import type { AppendResult, MessageToStore, PutStatus } from './put-status.js'
import type { StoreSettings } from './settings.js'
import type { TopicQueues } from './topic-queues.js'

export interface CommitLogOptions {
  settings: StoreSettings
  disk: Disk
  clock: Clock
  logger: Logger
  /** 4 or 16 address bytes and i32 port of this broker, as records hold them. */
  storeHost: Buffer
  folders: readonly string[]
  readOnlyFolders?: readonly string[]
  /** Told of every record as soon as it stands in the log. */
  onAppended: (record: AppendedRecord) => void
}

/** The record just appended. One object, filled again and again; positions are relative to `file`. */
export interface AppendedRecord {
  file: MappedFile
  start: number
  end: number
  propertiesStart: number
  /** Counts batches: records with the same number share their tail. */
  batch: number
  /** Bytes at the end of the properties that all records of a batch share; 0 for a message of its own. */
  tailLength: number
  topic: TopicQueues
  queueId: number
  queueOffset: number
  sysFlag: number
  storeTimestamp: number
}

/** Room that every record leaves behind it for a blank record. */
const BLANK_RECORD_LENGTH = 8
const MAX_PROPERTIES = 0x7fff
/** What a record may have beyond its body's limit. */
const HEADROOM = 65_536
const SEPARATOR = 2
const NO_BYTES = Buffer.alloc(0)

/** All messages of a broker, one append-only stream (store-format 2). One writer: every append is synchronous. */
export class CommitLog {
  readonly files: MappedFileQueue
  /** Store time of the record appended last. */
  lastStoreTimestamp = 0
  /** Why no further file can be made; undefined while that works. */
  rollFailure: string | undefined

  private readonly storeHostFlag: number
  private readonly prefaulter: PagePrefaulter
  private readonly element = new BatchElementReader()
  private record: AppendedRecord | undefined

  constructor(private readonly options: CommitLogOptions) {
    const { disk, logger, clock, settings } = options
    this.files = new MappedFileQueue({
      disk,
      logger,
      folders: options.folders,
      readOnlyFolders: options.readOnlyFolders ?? [],
      fileSize: settings.mappedFileSizeCommitLog,
      isFull: folder => usedRatio(disk, folder) > forcibleRatio(settings),
      now: () => clock.now(),
      readsAhead: () => settings.dataReadAheadEnable,
    })
    this.storeHostFlag = options.storeHost.length === 20 ? MessageSysFlag.STOREHOSTADDRESS_V6 : 0
    this.prefaulter = new PagePrefaulter(this.files, clock)
  }

  get minOffset(): number {
    return this.files.minOffset
  }

  /** End of the last record. */
  get maxOffset(): number {
    return this.files.maxOffset
  }

  /**
   * Appends one message as number `queueOffset` of its queue and fills `result`. Bytes of the message are copied,
   * nothing of it is kept.
   */
  append(message: MessageToStore, topic: TopicQueues, queueOffset: number, result: AppendResult): AppendResult {
    const properties = this.options.settings.enabledAppendPropCRC
      ? withCrcReserve(message.properties)
      : message.properties
    const sysFlag = this.sysFlagOf(message)
    const bodyLength = message.body.length
    const fixedLength = bodyLengthPosition(sysFlag) + 4 + bodyLength + topic.encoded.length + 2
    const propertiesLength = this.boundOf(properties, fixedLength)
    if (propertiesLength > MAX_PROPERTIES) return fail(result, 'PROPERTIES_SIZE_EXCEEDED')
    if (this.isTooLong(bodyLength, fixedLength + propertiesLength)) return fail(result, 'MESSAGE_ILLEGAL')
    const file = this.fileWithRoom(fixedLength + propertiesLength)
    if (file === undefined) return fail(result, 'CREATE_MAPPED_FILE_FAILED')

    const start = file.wrotePosition
    const record = this.recordOf(message, topic, file, sysFlag)
    record.queueOffset = queueOffset
    record.tailLength = 0
    const bodyAt = this.writeHead(record, start, message, message.flag)
    file.view.setInt32(start + RecordPosition.BODY_CRC, crc31(message.body))
    file.view.setInt32(bodyAt - 4, bodyLength)
    message.body.copy(file.buffer, bodyAt)
    const propertiesAt = writeTopic(file, bodyAt + bodyLength, topic)
    const written =
      typeof properties === 'string'
        ? file.buffer.write(properties, propertiesAt)
        : properties.copy(file.buffer, propertiesAt)
    file.view.setInt16(propertiesAt - 2, written)
    this.finish(record, start, propertiesAt, propertiesAt + written)
    result.messageCount = 1
    this.fill(result, record, start, queueOffset)
    this.prefaulter.advance(file)
    return result
  }

  /**
   * Appends the elements of a batch's body as records of their own, all in one file, the first as number `queueOffset`.
   * `message.properties` are put behind those of each element; properties go over as bytes.
   */
  appendBatch(message: MessageToStore, topic: TopicQueues, queueOffset: number, result: AppendResult): AppendResult {
    const { body } = message
    const tail = typeof message.properties === 'string' ? Buffer.from(message.properties) : message.properties
    if (body.length > this.options.settings.maxMessageSize) return fail(result, 'MESSAGE_ILLEGAL')
    const view = viewOf(body)
    const sysFlag = this.sysFlagOf(message)
    const fixedLength = bodyLengthPosition(sysFlag) + 4 + topic.encoded.length + 2
    const length = this.lengthOfBatch(body, fixedLength, tail, result)
    if (length < 0) return result
    if (length + BLANK_RECORD_LENGTH > this.files.fileSize) return fail(result, 'MESSAGE_ILLEGAL')
    const file = this.fileWithRoom(length)
    if (file === undefined) return fail(result, 'CREATE_MAPPED_FILE_FAILED')

    const first = file.wrotePosition
    const record = this.recordOf(message, topic, file, sysFlag)
    record.tailLength = this.options.settings.enabledAppendPropCRC ? 0 : tail.length
    record.batch++
    const offsets = result.physicalOffsets
    offsets.length = 0
    for (let at = 0; at < body.length; ) {
      at = this.element.read(view, at)
      const start = file.wrotePosition
      record.queueOffset = queueOffset + offsets.length
      offsets.push(file.startOffset + start)
      this.appendElement(record, start, message, tail)
    }
    result.messageCount = offsets.length
    this.fill(result, record, first, queueOffset)
    this.prefaulter.advance(file)
    return result
  }

  /** Bytes of the batch's records, or -1 after failing `result`. */
  private lengthOfBatch(body: Buffer, fixed: number, tail: Buffer, result: AppendResult): number {
    const { element } = this
    const view = viewOf(body)
    const reserve = this.options.settings.enabledAppendPropCRC ? withCrcReserve(NO_BYTES).length : 0
    let length = 0
    let at = 0
    while (at < body.length) {
      at = element.read(view, at)
      if (at < 0) break
      const own = element.propertiesEnd - element.propertiesStart
      const properties = own + separatorLength(body, element, tail) + tail.length + reserve
      if (properties > MAX_PROPERTIES) {
        fail(result, 'PROPERTIES_SIZE_EXCEEDED')
        return -1
      }
      length += fixed + (element.bodyEnd - element.bodyStart) + properties
    }
    if (at <= 0) {
      fail(result, 'MESSAGE_ILLEGAL')
      return -1
    }
    // a removed CRC of the client and a separator more or less: the reserve is an upper bound
    return length
  }

  private appendElement(record: AppendedRecord, start: number, message: MessageToStore, tail: Buffer): void {
    const { element } = this
    const { file } = record
    const { body } = message
    const bodyLength = element.bodyEnd - element.bodyStart
    const bodyAt = this.writeHead(record, start, message, element.flag)
    file.view.setInt32(start + RecordPosition.BODY_CRC, crc31(body, element.bodyStart, element.bodyEnd))
    file.view.setInt32(bodyAt - 4, bodyLength)
    element.copyBody(body, file.buffer, bodyAt)
    const propertiesAt = writeTopic(file, bodyAt + bodyLength, record.topic)
    let end = propertiesAt
    if (this.options.settings.enabledAppendPropCRC) {
      const own = body.subarray(element.propertiesStart, element.propertiesEnd)
      end += withCrcReserve(
        separatorLength(body, element, tail) ? Buffer.concat([own, SEPARATOR_BYTE, tail]) : Buffer.concat([own, tail]),
      ).copy(file.buffer, end)
    } else {
      end += element.copyProperties(body, file.buffer, end)
      if (separatorLength(body, element, tail) === 1) file.view.setUint8(end++, SEPARATOR)
      if (tail.length > 0) end += tail.copy(file.buffer, end)
    }
    file.view.setInt16(propertiesAt - 2, end - propertiesAt)
    this.finish(record, start, propertiesAt, end)
  }

  private sysFlagOf(message: MessageToStore): number {
    const hosts = (message.bornHost.length === 20 ? MessageSysFlag.BORNHOST_V6 : 0) | this.storeHostFlag
    return (message.sysFlag & ~(MessageSysFlag.BORNHOST_V6 | MessageSysFlag.STOREHOSTADDRESS_V6)) | hosts
  }

  /** Bytes of the properties; of a text that surely fits an upper bound, which saves counting them. */
  private boundOf(properties: string | Buffer, fixedLength: number): number {
    if (typeof properties !== 'string') return properties.length
    const bound = properties.length * 3
    const file = this.files.last
    const fits = file !== undefined && fixedLength + bound + BLANK_RECORD_LENGTH <= file.length - file.wrotePosition
    return fits && bound <= MAX_PROPERTIES ? bound : Buffer.byteLength(properties)
  }

  private isTooLong(bodyLength: number, length: number): boolean {
    const { maxMessageSize } = this.options.settings
    return (
      bodyLength > maxMessageSize ||
      length > maxMessageSize + HEADROOM ||
      length + BLANK_RECORD_LENGTH > this.files.fileSize
    )
  }

  /** The file that takes a record of `length` bytes, after ending a full one; undefined when none can be made. */
  private fileWithRoom(length: number): MappedFile | undefined {
    const file = this.files.last
    if (file !== undefined && length + BLANK_RECORD_LENGTH <= file.length - file.wrotePosition) return file
    let next: MappedFile
    try {
      next = this.files.roll()
    } catch (error) {
      this.noteRollFailure(error)
      return undefined
    }
    this.rollFailure = undefined
    if (file !== undefined && !file.isFull) {
      file.map()
      file.view.setInt32(file.wrotePosition, file.length - file.wrotePosition)
      file.view.setInt32(file.wrotePosition + 4, BLANK_MAGIC)
      file.wrotePosition = file.length
    }
    return next
  }

  /** Said when it begins and when the reason changes: every send meets it again. */
  private noteRollFailure(error: unknown): void {
    const text = `the next commit log file cannot be made: ${errorText(error)}; sends are refused until it can`
    if (this.rollFailure === text) return
    this.rollFailure = text
    this.options.logger.error({ event: 'commit-log-roll-failed', err: error }, text)
  }

  private recordOf(message: MessageToStore, topic: TopicQueues, file: MappedFile, sysFlag: number): AppendedRecord {
    const now = this.options.clock.now()
    let record = this.record
    if (record === undefined) {
      const zero = {
        start: 0,
        end: 0,
        propertiesStart: 0,
        batch: 0,
        tailLength: 0,
        queueId: 0,
        queueOffset: 0,
        sysFlag: 0,
        storeTimestamp: 0,
      }
      record = this.record = { file, topic, ...zero }
    }
    record.file = file
    record.topic = topic
    record.queueId = message.queueId
    record.sysFlag = sysFlag
    record.storeTimestamp = now
    return record
  }

  /** Writes what precedes the body, but for size, magic number, CRC and body length; where the body goes. */
  private writeHead(record: AppendedRecord, start: number, message: MessageToStore, flag: number): number {
    const { file } = record
    const { view, buffer } = file
    view.setInt32(start + RecordPosition.QUEUE_ID, message.queueId)
    view.setInt32(start + RecordPosition.FLAG, flag)
    setInt64(view, start + RecordPosition.QUEUE_OFFSET, record.queueOffset)
    setInt64(view, start + RecordPosition.PHYSICAL_OFFSET, file.startOffset + start)
    view.setInt32(start + RecordPosition.SYS_FLAG, record.sysFlag)
    setInt64(view, start + RecordPosition.BORN_TIMESTAMP, message.bornTimestamp)
    let at = start + RecordPosition.BORN_HOST
    at += copyShort(message.bornHost, buffer, at)
    setInt64(view, at, record.storeTimestamp)
    at += 8
    at += copyShort(this.options.storeHost, buffer, at)
    view.setInt32(at, message.reconsumeTimes)
    setInt64(view, at + 4, message.preparedTransactionOffset)
    return at + 16
  }

  /** Size and magic number come last: a record that a kill cut short is none. */
  private finish(record: AppendedRecord, start: number, propertiesStart: number, end: number): void {
    const { file } = record
    file.view.setInt32(start, end - start)
    file.view.setInt32(start + RecordPosition.MAGIC, record.topic.magic)
    if (this.options.settings.enabledAppendPropCRC) writePropertyCrc(file.buffer, start, end)
    file.wrotePosition = end
    file.modifiedMs = record.storeTimestamp
    this.lastStoreTimestamp = record.storeTimestamp
    record.start = start
    record.end = end
    record.propertiesStart = propertiesStart
    this.options.onAppended(record)
  }

  private fill(result: AppendResult, record: AppendedRecord, start: number, queueOffset: number): void {
    result.status = 'PUT_OK'
    result.physicalOffset = record.file.startOffset + start
    result.queueOffset = queueOffset
    result.wroteBytes = record.end - start
    result.storeTimestamp = record.storeTimestamp
    result.endOffset = record.file.startOffset + record.end
  }
}

const SEPARATOR_BYTE = Buffer.of(SEPARATOR)

/** 1 when a separator is missing between an element's properties and those of the batch. */
function separatorLength(body: Buffer, element: BatchElementReader, tail: Buffer): 0 | 1 {
  const isEmpty = element.propertiesEnd === element.propertiesStart
  return isEmpty || tail.length === 0 || body[element.propertiesEnd - 1] === SEPARATOR ? 0 : 1
}

/** A loop: for so few bytes a call of `copy` takes longer. */
function copyShort(from: Buffer, to: Buffer, at: number): number {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i]!
  return from.length
}

/** Writes the topic; where the properties begin, behind their length. */
function writeTopic(file: MappedFile, at: number, topic: TopicQueues): number {
  copyShort(topic.encoded, file.buffer, at)
  return at + topic.encoded.length + 2
}

/** Fills `result` for a message that was not stored. */
export function fail(result: AppendResult, status: PutStatus): AppendResult {
  result.status = status
  result.physicalOffset = -1
  result.queueOffset = 0
  result.wroteBytes = 0
  result.messageCount = 0
  result.storeTimestamp = 0
  result.endOffset = -1
  result.physicalOffsets.length = 0
  return result
}
