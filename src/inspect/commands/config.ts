import { MQError } from '../../util/index.js'
import { defineInspectCommand, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { readConfigFiles } from '../config-files.js'
import { toList } from '../option-values.js'

interface ConfigCommandOptions {
  file?: readonly string[]
  backups?: boolean
}

export const configCommand = defineInspectCommand<ConfigCommandOptions>({
  name: 'config',
  description: 'The JSON files of the store: topics, groups, offsets, filters and so on, as standard JSON.',
  arguments: [STORE_ARGUMENT],
  options: [
    { flags: '--file <name>', description: 'only this one, e.g. topics.json; may be repeated', parse: toList },
    { flags: '--backups', description: 'also the .bak files' },
  ],
  async run({ out }, [root], options) {
    const directory = openStore(root!, options)
    const all = readConfigFiles(directory, options.backups === true)
    const wanted = options.file?.map(name => (name.includes('.') ? name : `${name}.json`))
    const files = all.filter(
      ({ name }) => wanted === undefined || wanted.includes(name) || options.file?.includes(name),
    )
    if (files.length === 0) {
      const known = all.map(({ name }) => name).join(', ')
      throw new MQError('ERR_NO_CONFIG', `no such file in ${directory.path('config')}; there are: ${known}`)
    }
    await out.json({ store: directory.root, files })
    for (const { name, bytes, problem, content } of files) {
      await out.line(`--- ${name} (${bytes} bytes)`)
      await out.line(problem === undefined ? JSON.stringify(content, bigintAsText, 2) : `DAMAGED: ${problem}`)
    }
    return files.some(({ problem }) => problem !== undefined) ? InspectExit.found : InspectExit.ok
  },
})

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
