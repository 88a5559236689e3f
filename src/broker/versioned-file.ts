import { join } from 'node:path'
import {
  assignDataVersion,
  type DataVersion,
  dataVersionFromJson,
  type JsonObject,
  newDataVersion,
  nextDataVersion,
  parseFastJson,
  readObject,
} from '../common/index.js'
import { type Clock, ConfigFile, type Logger } from '../util/index.js'

export interface VersionedFileOptions {
  rootDir: string
  /** Of the file, below `config`. */
  name: string
  clock: Clock
  logger: Logger
  /** The whole text in pieces, `dataVersion` included. */
  encode: () => Iterable<string>
  /** Takes over what the file says, all or nothing. */
  decode: (json: JsonObject) => void
}

/** A table of the broker in a file below `config`, with the version that tells others whether they know it. */
export class VersionedFile {
  readonly dataVersion: DataVersion
  private readonly file: ConfigFile

  constructor(private readonly options: VersionedFileOptions) {
    const { rootDir, name, clock, logger, encode, decode } = options
    this.dataVersion = newDataVersion(clock)
    this.file = new ConfigFile({
      path: join(rootDir, 'config', name),
      clock,
      logger,
      encode,
      decode: text => {
        const json = readObject(parseFastJson(text))
        decode(json)
        if (json.dataVersion !== undefined) assignDataVersion(this.dataVersion, dataVersionFromJson(json.dataVersion))
      },
    })
  }

  get path(): string {
    return this.file.path
  }

  /** False when there is none. @throws MQError ERR_CONFIG_FILE */
  load(): boolean {
    return this.file.load()
  }

  /** To be called when the table is another one. */
  nextVersion(): void {
    nextDataVersion(this.dataVersion, this.options.clock)
  }

  /** @throws MQError ERR_CONFIG_FILE */
  save(): Promise<void> {
    return this.file.save()
  }

  saveSoon(): void {
    this.file.saveSoon()
  }

  /** Writes once more and ends. */
  stop(): Promise<void> {
    return this.file.stop()
  }
}
