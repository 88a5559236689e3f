import { InvalidArgumentError } from 'commander'
import { defineInspectCommand, InspectExit, openStore } from '../command.js'
import { diffCheckpoint, diffConfig } from '../diff/diff-files.js'
import { diffIndex } from '../diff/diff-index.js'
import { diffLog } from '../diff/diff-log.js'
import { diffQueues } from '../diff/diff-queues.js'
import { COMPARED_PARTS, type ComparedPart, DifferenceList } from '../diff/difference.js'
import { hashSlotsOption, toCount, toList } from '../option-values.js'

interface DiffCommandOptions {
  limit: number
  only?: readonly ComparedPart[]
  commitlogB?: readonly string[]
  configB?: string
  hashSlots?: number
}

export const diffCommand = defineInspectCommand<DiffCommandOptions>({
  name: 'diff',
  description: 'What differs between two stores, by place in the log. Exits with 1 when something does.',
  arguments: [
    ['<storeA>', 'folder of one store'],
    ['<storeB>', 'folder of the other'],
  ],
  options: [
    { flags: '--limit <number>', description: 'differences told in detail', parse: toCount, fallback: 100 },
    { flags: '--only <parts>', description: `of ${COMPARED_PARTS.join(',')}; default all`, parse: toParts },
    { flags: '--commitlog-b <folders>', description: 'as --commitlog, for the second store', parse: toList },
    { flags: '--config-b <file>', description: 'as --config, for the second store' },
    hashSlotsOption,
  ],
  async run({ out, progress }, [rootA, rootB], options) {
    const a = openStore(rootA!, options)
    const { only = COMPARED_PARTS, hashSlots, commitlogB, configB } = options
    const b = openStore(rootB!, { ...(commitlogB && { commitlog: commitlogB }), ...(configB && { config: configB }) })
    const list = new DifferenceList(options.limit)
    progress.start(
      'comparing the logs',
      a.log.reduce((sum, { length }) => sum + length, 0),
    )
    const onProgress = progress.advance
    const sameRecords = only.includes('log') ? (await diffLog(a, b, { list, onProgress })).sameRecords : undefined
    if (only.includes('queues')) await diffQueues(a, b, list)
    if (only.includes('index')) await diffIndex(a, b, { list, hashSlots })
    if (only.includes('checkpoint')) diffCheckpoint(a, b, list)
    if (only.includes('config')) diffConfig(a, b, list)
    progress.end()
    const { count, counts, differences } = list
    await out.json({ a: a.root, b: b.root, isSame: count === 0, sameRecords, count, counts, differences })
    for (const { part, where, a: one, b: other } of differences) {
      await out.line(`${part} ${where}`)
      await out.line(`  A  ${one ?? '(nothing)'}`)
      await out.line(`  B  ${other ?? '(nothing)'}`)
    }
    if (count > differences.length) await out.line(`... and ${count - differences.length} more; see --limit`)
    const same = sameRecords === undefined ? '' : `${sameRecords} records are the same; `
    await out.line(`${same}${count === 0 ? 'no differences' : `${count} differences`}`)
    return count === 0 ? InspectExit.ok : InspectExit.found
  },
})

function toParts(text: string, previous: unknown): ComparedPart[] {
  return toList(text, previous).map(name => {
    const part = COMPARED_PARTS.find(one => one === name)
    if (part === undefined) throw new InvalidArgumentError(`"${name}" is none of ${COMPARED_PARTS.join(', ')}.`)
    return part
  })
}
