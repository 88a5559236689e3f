import type { SettingsSource } from './load-settings.js'
import type { SettingsTable, Surroundings } from './setting.js'

const PREFIX = 'ROCKETMQ_'

/** The variable that sets a key: `listenPort` is `ROCKETMQ_LISTEN_PORT`, `brokerIP1` is `ROCKETMQ_BROKER_IP1`. */
export function variableOf(key: string): string {
  if (key === 'namesrvAddr') return 'NAMESRV_ADDR'
  if (key === 'rocketmqHome') return 'ROCKETMQ_HOME'
  return PREFIX + key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()
}

/**
 * The settings found in the environment: `NAMESRV_ADDR`, `ROCKETMQ_HOME`, and `ROCKETMQ_` with any key in capitals,
 * where underscores do not count. Variables that name no key are someone else's (container platforms make such
 * names), and those of keys without effect are skipped: a shell may have `NAMESRV_ADDR` set for its tools.
 */
export function readEnvironment(rows: SettingsTable, env: Surroundings['env']): SettingsSource {
  const byVariable = new Map(Object.keys(rows).map(key => [plain(variableOf(key)), key]))
  return Object.entries(env).flatMap(([name, value]) => {
    const key = name === 'NAMESRV_ADDR' || name.startsWith(PREFIX) ? byVariable.get(plain(name)) : undefined
    if (key === undefined || value === undefined || rows[key]!.state.kind === 'noEffect') return []
    return [{ key, value, where: `environment variable ${name}` }]
  })
}

function plain(name: string): string {
  return name.replaceAll('_', '')
}
