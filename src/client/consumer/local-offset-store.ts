import { homedir } from 'node:os'
import { join } from 'node:path'
import {
  type MessageQueue,
  messageQueueFromJson,
  ObjectKeyMap,
  parseFastJson,
  readNumber,
  readObject,
  stringifyFastJson,
} from '../../common/index.js'
import { errorText, type Logger, readBackedUpFile, writeBackedUpFile } from '../../util/index.js'
import type { QueueOffset } from '../members.js'
import type { OffsetStore } from './offset-store.js'
import { OffsetTable } from './offset-table.js'

export interface LocalOffsetStoreOptions {
  /** Default `~/.rocketmq_offsets`. */
  directory?: string | undefined
  clientId: string
  group: string
  logger: Logger
}

/**
 * Offsets of a broadcasting consumer, which reads every queue by itself: kept in a file of this machine, in Java's
 * place and form.
 */
export class LocalOffsetStore implements OffsetStore {
  private readonly table = new OffsetTable()
  private readonly file: string
  private storedVersion = 0
  private writing: Promise<void> | undefined

  constructor(private readonly options: LocalOffsetStoreOptions) {
    const directory = options.directory ?? join(homedir(), '.rocketmq_offsets')
    this.file = join(directory, options.clientId, options.group, 'offsets.json')
  }

  /** @throws MQError ERR_FILE_UNREADABLE when there is a file that cannot be read, and no good copy of it */
  async load(): Promise<void> {
    const found = await readBackedUpFile(this.file, parseOffsets)
    if (!found) return
    const { value, path, problem } = found
    if (problem !== undefined) {
      this.options.logger.warn(
        { event: 'offset-file-unreadable', file: path },
        `${problem}; offsets were read from ${path}`,
      )
    }
    for (const { queue, offset } of value) this.table.update(queue, offset, false)
    this.storedVersion = this.table.version
  }

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    this.table.update(queue, offset, increaseOnly)
  }

  updateAndFreeze(queue: MessageQueue, offset: number): void {
    this.table.updateAndFreeze(queue, offset)
  }

  inMemory(queue: MessageQueue): number | undefined {
    return this.table.get(queue)
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    return this.table.get(queue)
  }

  persist(): Promise<void> {
    return this.persistAll()
  }

  /** The file holds every queue ever read, owned or not. */
  async persistAll(): Promise<void> {
    await this.writing
    if (this.table.version === this.storedVersion) return
    this.writing = this.write().finally(() => {
      this.writing = undefined
    })
    await this.writing
  }

  /** Nothing: what is forgotten here would be lost. */
  forget(): void {}

  offsetsOf(topic: string): QueueOffset[] {
    return this.table.of(topic)
  }

  private async write(): Promise<void> {
    const { version } = this.table
    const offsetTable = new ObjectKeyMap(this.table.all().map(({ queue, offset }) => [queue, offset] as const))
    try {
      await writeBackedUpFile(this.file, stringifyFastJson({ offsetTable }, { pretty: true }))
      this.storedVersion = version
    } catch (error) {
      this.options.logger.error(
        { event: 'persist-offset-failed', file: this.file, err: error },
        `could not write ${this.file}; it is tried again: ${errorText(error)}`,
      )
    }
  }
}

function parseOffsets(text: string): QueueOffset[] {
  return Object.entries(readObject(readObject(parseFastJson(text)).offsetTable)).map(([key, offset]) => ({
    queue: messageQueueFromJson(parseFastJson(key)),
    offset: readNumber(offset, 0),
  }))
}
