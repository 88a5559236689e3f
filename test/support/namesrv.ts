import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NamesrvSettings, namesrvSettings } from '../../src/config/index.js'
import { NamesrvController, type NamesrvSettingsSource } from '../../src/namesrv/index.js'
import { type Clock, type Logger, silentLogger, systemClock } from '../../src/util/index.js'

export interface TestNamesrv {
  readonly controller: NamesrvController
  readonly settings: NamesrvSettingsSource
  readonly port: number
  readonly address: string
  readonly folder: string
  stop(): Promise<void>
}

export interface TestNamesrvOptions {
  readonly clock?: Clock
  readonly logger?: Logger
  readonly values?: Partial<NamesrvSettings>
  /** Instead of `values`. */
  readonly settings?: NamesrvSettingsSource
}

/** A NameServer on a free port of this machine, its files in a folder that goes with it. */
export async function startTestNamesrv(options: TestNamesrvOptions = {}): Promise<TestNamesrv> {
  const { clock = systemClock, logger = silentLogger } = options
  const folder = mkdtempSync(join(tmpdir(), 'cometmq-namesrv-'))
  const kvConfigPath = join(folder, 'kvConfig.json')
  const settings = options.settings ?? namesrvSettings.create({ listenPort: 0, kvConfigPath, ...options.values }, clock)
  const controller = new NamesrvController({ settings, clock, logger, host: '127.0.0.1' })
  await controller.start()
  return {
    controller,
    settings,
    port: controller.port,
    address: `127.0.0.1:${controller.port}`,
    folder,
    async stop() {
      await controller.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
