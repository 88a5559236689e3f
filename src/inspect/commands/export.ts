import { resolve } from 'node:path'
import { stringifyFastJson } from '../../common/index.js'
import { defineInspectCommand, type InspectContext, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { openExportFile } from '../export-file.js'
import { checkExportMark, type ExportMark, readExportMark } from '../export-mark.js'
import { Exporter, type ExportFilter, type ExportOutput } from '../exporter.js'
import { topicOption, toTime } from '../option-values.js'
import type { StoreDirectory } from '../store-directory.js'

interface ExportCommandOptions {
  out?: string
  mark?: string
  topic?: readonly string[]
  since?: number
  until?: number
  system?: boolean
}

export const exportCommand = defineInspectCommand<ExportCommandOptions>({
  name: 'export',
  description: 'Messages as JSON lines, in the order of the log. Goes on where an earlier run ended.',
  arguments: [STORE_ARGUMENT],
  options: [
    { flags: '-o, --out <file>', description: 'where to write; default stdout' },
    { flags: '--mark <file>', description: 'where progress is kept; default <out>.mark, none for stdout' },
    topicOption,
    { flags: '--since <time>', description: 'stored at or after (ms, or 2026-11-21T09:45:26Z)', parse: toTime },
    { flags: '--until <time>', description: 'stored at or before', parse: toTime },
    { flags: '--system', description: 'also half messages, timers and what else brokers keep for themselves' },
  ],
  async run(context, [root], options) {
    const directory = openStore(root!, options)
    const filter: ExportFilter = {
      topics: options.topic,
      since: options.since,
      until: options.until,
      withSystem: options.system === true,
    }
    const filterText = stringifyFastJson(filter)
    const markPath = options.mark ?? (options.out === undefined ? undefined : `${options.out}.mark`)
    const mark = markPath === undefined ? undefined : readExportMark(markPath)
    if (mark !== undefined) {
      await checkExportMark(mark, { path: markPath!, filter: filterText, directory })
      remarkResume(context, directory, mark)
    }
    const file = options.out === undefined ? undefined : await openExportFile(resolve(options.out), mark?.outBytes)
    try {
      const output = file ?? stdoutOf(context)
      const parts = { directory, filter, filterText, markPath, mark, output }
      return await runExport(context, parts)
    } finally {
      await file?.close()
    }
  },
})

function remarkResume({ remark }: InspectContext, { log }: StoreDirectory, mark: ExportMark): void {
  remark(`going on at ${mark.position} of the log, after ${mark.messages} messages`)
  const min = log[0]?.startOffset ?? 0
  if (mark.position < min) remark(`the log begins at ${min} by now: what stood before it has been deleted`)
}

function stdoutOf({ out }: InspectContext): ExportOutput {
  return { write: text => out.raw(text), sync: async () => {} }
}

interface RunParts {
  directory: StoreDirectory
  filter: ExportFilter
  filterText: string
  markPath: string | undefined
  mark: ExportMark | undefined
  output: ExportOutput
}

async function runExport({ progress, remark }: InspectContext, parts: RunParts): Promise<number> {
  const { directory, mark } = parts
  const total = directory.log.reduce((sum, { startOffset, length }) => {
    return sum + Math.max(0, startOffset + length - Math.max(startOffset, mark?.position ?? 0))
  }, 0)
  progress.start('exporting', total)
  const exporter = new Exporter({
    ...parts,
    onProgress: progress.advance,
    onUnreadable: ({ file, position, end, problem }) => {
      const at = position - file.startOffset
      remark(`no record can be read in ${end - position} bytes at ${at} of ${file.path}: ${problem}`)
    },
  })
  const result = await exporter.run()
  progress.end()
  const { messages, damaged, unreadable, position } = result
  remark(`${messages} messages exported, up to ${position} of the log`)
  if (damaged > 0) remark(`${damaged} of them are damaged: their field problem says how`)
  return damaged + unreadable === 0 ? InspectExit.ok : InspectExit.found
}
