import { isJsonObject, parseFastJson, readStringMap, stringifyFastJson } from '../common/index.js'
import { errorText, type Logger, MQError, readBackedUpFile, writeBackedUpFile } from '../util/index.js'

/** The namespace whose keys are topics, and whose values are the queues of each broker: `broker-a:8;broker-b:8`. */
export const ORDER_TOPIC_NAMESPACE = 'ORDER_TOPIC_CONFIG'

type ConfigTable = Map<string, Map<string, string>>

export interface KVConfigOptions {
  /** The file, as Java keeps it: `{"configTable":{"NAMESPACE":{"key":"value"}}}`. */
  readonly path: string
  readonly logger: Logger
}

/** Texts by namespace and key. A change is saved before it counts; changes are saved one after the other. */
export class KVConfigManager {
  private table: ConfigTable = new Map()
  private changes = 0
  private saving: Promise<unknown> = Promise.resolve()

  constructor(private readonly options: KVConfigOptions) {}

  /** Another number after each change. */
  get generation(): number {
    return this.changes
  }

  /** Reads the file or its backup. @throws MQError ERR_FILE_UNREADABLE when what is there cannot be used. */
  async load(): Promise<void> {
    const loaded = await readBackedUpFile(this.options.path, parseTable)
    if (loaded === undefined) return
    this.table = loaded.value
    this.changes++
    if (loaded.problem === undefined) return
    this.options.logger.warn(
      { event: 'kv-config-from-backup', path: loaded.path },
      `the key-value configuration is taken from ${loaded.path}, because of ${loaded.problem}`,
    )
  }

  get(namespace: string, key: string): string | undefined {
    return this.table.get(namespace)?.get(key)
  }

  /** All of a namespace; undefined when nothing was ever put there. */
  namespace(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.table.get(namespace)
  }

  /** @throws MQError ERR_KV_CONFIG_NOT_SAVED; the old value stays then. */
  put(namespace: string, key: string, value: string): Promise<void> {
    return this.change(namespace, items => items.set(key, value))
  }

  /** The namespace stays, even when this was its last key. @throws MQError ERR_KV_CONFIG_NOT_SAVED */
  delete(namespace: string, key: string): Promise<void> {
    return this.change(namespace, items => items.delete(key))
  }

  /** Resolves when all changes asked for so far are saved or have failed. */
  async settled(): Promise<void> {
    await this.saving
  }

  private change(
    namespace: string,
    edit: (items: Map<string, string>) => Map<string, string> | boolean,
  ): Promise<void> {
    const run = this.saving.then(async () => {
      const items = new Map(this.table.get(namespace))
      if (edit(items) === false) return
      const changed = new Map(this.table).set(namespace, items)
      await this.save(changed)
      this.table = changed
      this.changes++
    })
    this.saving = run.catch(() => undefined)
    return run
  }

  private async save(table: ConfigTable): Promise<void> {
    const { path } = this.options
    try {
      await writeBackedUpFile(path, stringifyFastJson({ configTable: table }))
    } catch (error) {
      const text = `nothing was changed, because the change could not be saved in ${path}: ${errorText(error)}`
      throw new MQError('ERR_KV_CONFIG_NOT_SAVED', text, { cause: error })
    }
  }
}

function parseTable(text: string): ConfigTable {
  const json = parseFastJson(text)
  const table = isJsonObject(json) ? json.configTable : undefined
  if (!isJsonObject(table)) throw new MQError('ERR_KV_CONFIG', 'there is no "configTable" in it')
  return new Map(Object.entries(table).map(([namespace, items]) => [namespace, readStringMap(items)]))
}
