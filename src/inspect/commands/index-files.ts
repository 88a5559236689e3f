import { MQError } from '../../util/index.js'
import { defineInspectCommand, type InspectContext, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { IndexReader } from '../index-reader.js'
import { lookUpKey } from '../look-up-key.js'
import { describeRecord } from '../message-json.js'
import { hashSlotsOption, toList } from '../option-values.js'
import { timeText } from '../output.js'
import type { StoreDirectory } from '../store-directory.js'
import { summarizeIndex } from '../store-summary.js'

interface IndexCommandOptions {
  key?: readonly string[]
  topic?: string
  items?: boolean
  file?: string
  hashSlots?: number
}

export const indexCommand = defineInspectCommand<IndexCommandOptions>({
  name: 'index',
  description: 'The index files: their headers, their items, or the messages with a key.',
  arguments: [STORE_ARGUMENT],
  options: [
    { flags: '--key <key>', description: 'messages with this key (KEYS or UNIQ_KEY) of the topic', parse: toList },
    { flags: '-t, --topic <name>', description: 'topic of the key' },
    { flags: '--items', description: 'every item' },
    { flags: '--file <name>', description: 'only this index file' },
    hashSlotsOption,
  ],
  async run(context, [root], options) {
    const directory = openStore(root!, options)
    if (options.key !== undefined) return showKeys(context, directory, options)
    if (options.items === true) return showItems(context, directory, options)
    const files = await summarizeIndex(directory, options.hashSlots)
    const wanted = files.filter(({ name }) => options.file === undefined || name === options.file)
    await context.out.json({ store: directory.root, indexFiles: wanted })
    for (const file of wanted) {
      const { name, problem, beginTimestamp = 0, endTimestamp = 0, indexCount = 1, hashSlotCount = 0 } = file
      if (problem !== undefined) await context.out.line(`${name}  ${problem}`)
      else {
        const times = `${timeText(beginTimestamp)} to ${timeText(endTimestamp)}`
        await context.out.line(
          `${name}  ${indexCount - 1} of ${file.indexNum} items in ${hashSlotCount} of ${file.hashSlotNum} slots  ` +
            `log ${file.beginPhyOffset} to ${file.endPhyOffset}  ${times}`,
        )
      }
    }
    return InspectExit.ok
  },
})

async function showKeys(
  { out, remark }: InspectContext,
  directory: StoreDirectory,
  options: IndexCommandOptions,
): Promise<number> {
  const { topic, hashSlots } = options
  if (topic === undefined) throw new MQError('ERR_USAGE', 'a key is looked up in a topic: add --topic')
  let exit: number = InspectExit.ok
  for (const key of options.key ?? []) {
    const records = await lookUpKey(directory, { topic, key, hashSlots })
    for (const record of records) {
      const described = describeRecord(record)
      await out.json({ key, ...described })
      const { physicalOffset, queueId, queueOffset, storeTimestamp } = described
      const id = String(described.offsetMsgId)
      await out.line(
        `${key}  ${physicalOffset}  ${topic}-${queueId}#${queueOffset}  ${timeText(storeTimestamp)}  ${id}`,
      )
    }
    if (records.length > 0) continue
    remark(`the index leads to no message of ${topic} with the key ${key}`)
    exit = InspectExit.found
  }
  return exit
}

async function showItems(
  { out }: InspectContext,
  directory: StoreDirectory,
  { file: only, hashSlots }: IndexCommandOptions,
): Promise<number> {
  for (const name of directory.indexFileNames()) {
    if (only !== undefined && name !== only) continue
    const reader = await IndexReader.open(directory, name, hashSlots)
    const count = await reader.usedItems()
    for (let number = 1; number <= count; number++) {
      const item = await reader.item(number)
      if (item === undefined) continue
      const { keyHash, physicalOffset, timeDiffSeconds, previous } = item
      await out.json({ file: name, item: number, keyHash, physicalOffset, timeDiffSeconds, previous })
      await out.line(
        `${name} ${number}  hash ${keyHash}  log ${physicalOffset}  ${timeDiffSeconds} s  previous ${previous}`,
      )
    }
    reader.close()
  }
  return InspectExit.ok
}
