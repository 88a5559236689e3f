import { loadNamesrvSettings, logOptions, namesrvBootLine } from '../config/index.js'
import { createLog } from '../observability/index.js'
import { runDaemon, systemClock } from '../util/index.js'
import { NamesrvController } from './controller.js'

/** What `bin/mqnamesrv` does. */
export async function main(argv: readonly string[]): Promise<void> {
  const loaded = loadNamesrvSettings(argv)
  if (loaded.kind === 'exit') {
    process.exitCode = loaded.code
    return
  }
  const { settings } = loaded
  const log = createLog(logOptions(settings.values))
  settings.onChange(['logLevel'], () => log.setLevel(settings.values.logLevel))
  loaded.report(log.logger)
  await runDaemon({
    name: 'namesrv',
    logger: log.logger,
    beforeExit: () => log.drained(),
    onExit: () => log.flush(),
    async start() {
      const controller = new NamesrvController({ settings, clock: systemClock, logger: log.logger.child('namesrv') })
      await controller.start()
      process.stdout.write(`${namesrvBootLine({ ...settings.values, listenPort: controller.port })}\n`)
      return { stop: () => controller.stop() }
    },
  })
}
