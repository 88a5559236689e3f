import { defineInspectCommand, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { SEVERAL_FOLDERS_HINT } from '../log-gaps.js'
import { hashSlotsOption } from '../option-values.js'
import { bytesText, type Output, timeText } from '../output.js'
import { type StoreSummary, summarize } from '../store-summary.js'

interface SummaryCommandOptions {
  count?: boolean
  hashSlots?: number
}

export const summaryCommand = defineInspectCommand<SummaryCommandOptions>({
  name: 'summary',
  description: 'What a store holds: log, queues, index, checkpoint, configuration.',
  arguments: [STORE_ARGUMENT],
  options: [{ flags: '--count', description: 'read the whole log to count its records' }, hashSlotsOption],
  async run({ out, progress, remark }, [root], options) {
    const directory = openStore(root!, options)
    progress.start(
      'reading the log',
      directory.log.reduce((sum, { length }) => sum + length, 0),
    )
    const summary = await summarize(directory, {
      countsRecords: options.count === true,
      hashSlots: options.hashSlots,
      onProgress: progress.advance,
    })
    progress.end()
    await out.json(summary)
    await print(out, summary)
    if (summary.commitLog.gaps.length > 0) remark(SEVERAL_FOLDERS_HINT)
    return InspectExit.ok
  },
})

const STATES: Readonly<Record<StoreSummary['state'], string>> = {
  closed: 'stopped in order',
  running: 'in use: a broker runs',
  crashed: 'not stopped in order: the next start recovers',
}

async function print(out: Output, summary: StoreSummary): Promise<void> {
  const { commitLog, consumeQueues, batchConsumeQueues, indexFiles, checkpoint, configFiles } = summary
  const pid = summary.pid === undefined ? '' : ` (pid ${summary.pid})`
  await out.line(`store       ${summary.store}`)
  await out.line(`state       ${STATES[summary.state]}${pid}`)
  const counted = commitLog.records === undefined ? '' : `, ${commitLog.records} records`
  await out.line(`commit log  ${commitLog.minOffset} to ${commitLog.endOffset}${counted}`)
  for (const folder of commitLog.folders) {
    const files = commitLog.files.filter(file => file.path.startsWith(`${folder}/`))
    const size = bytesText(files.reduce((sum, file) => sum + file.size, 0))
    await out.line(`            ${files.length} files, ${size} in ${folder}`)
  }
  for (const { from, to } of commitLog.gaps) await out.line(`            no files for ${from} to ${to - 1}`)
  for (const { offset, size, problem } of commitLog.unreadable ?? []) {
    await out.line(`            no record can be read in ${size} bytes at ${offset}: ${problem}`)
  }
  const written = checkpoint === undefined ? 'none' : `log written up to ${timeText(checkpoint.physicMsgTimestamp)} UTC`
  await out.line(`checkpoint  ${written}`)
  const items = indexFiles.reduce((sum, { indexCount = 1 }) => sum + indexCount - 1, 0)
  await out.line(`index       ${indexFiles.length} files, ${items} keys`)
  for (const { name, problem } of indexFiles) {
    if (problem !== undefined) await out.line(`            ${name}: ${problem}`)
  }
  await out.line(
    `config      ${configFiles.map(({ name, problem }) => (problem ? `${name} (DAMAGED)` : name)).join(' ')}`,
  )
  const topics = new Set([...consumeQueues, ...batchConsumeQueues].map(({ topic }) => topic)).size
  await out.line(`queues      ${consumeQueues.length + batchConsumeQueues.length} of ${topics} topics`)
  await out.line()
  await out.table(
    ['TOPIC', 'QUEUE', 'MIN', 'MAX', 'MESSAGES'],
    consumeQueues.map(({ topic, queueId, min, max }) => [topic, queueId, min, max, max - min]),
  )
  if (batchConsumeQueues.length === 0) return
  await out.line()
  await out.table(
    ['BATCH TOPIC', 'QUEUE', 'ENTRIES', 'MESSAGES'],
    batchConsumeQueues.map(({ topic, queueId, entries, messages }) => [topic, queueId, entries, messages]),
  )
}
