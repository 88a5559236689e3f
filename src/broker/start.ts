import { brokerBootLine, loadBrokerSettings, logOptions } from '../config/index.js'
import { createLog } from '../observability/index.js'
import { runDaemon, systemClock } from '../util/index.js'
import { BrokerController } from './controller.js'

/** Runs the Broker daemon; what bin/mqbroker does. */
export async function main(argv: readonly string[]): Promise<void> {
  const loaded = loadBrokerSettings(argv)
  if (loaded.kind === 'exit') {
    process.exitCode = loaded.code
    return
  }
  const { settings } = loaded
  const log = createLog(logOptions(settings.values))
  settings.onChange(['logLevel'], () => log.setLevel(settings.values.logLevel))
  loaded.report(log.logger)
  await runDaemon({
    name: 'broker',
    logger: log.logger,
    beforeExit: () => log.drained(),
    onExit: () => log.flush(),
    start: async () => {
      const broker = new BrokerController({
        settings: settings.values,
        configuration: settings,
        clock: systemClock,
        logger: log.logger,
      })
      await broker.start()
      process.stdout.write(`${brokerBootLine(settings.values)}\n`)
      return broker
    },
  })
}
