import { formatProperty } from '../util/index.js'
import { brokerSettings } from './broker-settings.js'
import type { SettingsSection } from './define-settings.js'
import { namesrvSettings } from './namesrv-settings.js'
import { allowedValues, formatSetting } from './parse-setting.js'
import type { Setting, SettingsTable } from './setting.js'

/** Values that a sample sets; the rest of a full sample stands there as comments. */
type Given = Readonly<Record<string, string>>

const SLAVES = 'Needs replication, which is not supported yet: a slave says so and does not start.'

const master = (brokerName: string, brokerRole = 'ASYNC_MASTER'): Given => ({
  brokerClusterName: 'DefaultCluster',
  brokerName,
  brokerId: '0',
  deleteWhen: '04',
  fileReservedTime: '48',
  brokerRole,
  flushDiskType: 'ASYNC_FLUSH',
})
const slave = (brokerName: string): Given => ({ ...master(brokerName, 'SLAVE'), brokerId: '1' })

/** The sample files under `conf/` by path: the profiles RocketMQ ships, and every key that has an effect. */
export function renderSamples(): Map<string, string> {
  const broker = 'Settings of a broker: mqbroker -c broker.conf'
  const files = new Map([
    ['broker.conf', full(broker, brokerSettings.sections, master('broker-a'))],
    ['namesrv.conf', full('Settings of a NameServer: mqnamesrv -c namesrv.conf', namesrvSettings.sections, {})],
  ])
  for (const name of ['broker-a', 'broker-b', 'broker-trace']) {
    files.set(`2m-noslave/${name}.properties`, brief('Masters without slaves', master(name)))
  }
  for (const [folder, role] of [
    ['2m-2s-async', 'ASYNC_MASTER'],
    ['2m-2s-sync', 'SYNC_MASTER'],
  ] as const) {
    for (const name of ['broker-a', 'broker-b']) {
      files.set(`${folder}/${name}.properties`, brief(`One of two masters with a slave each`, master(name, role)))
      files.set(`${folder}/${name}-s.properties`, brief(`The slave of ${name}. ${SLAVES}`, slave(name)))
    }
  }
  return files
}

function brief(title: string, given: Given): string {
  const lines = Object.entries(given).map(([key, value]) => formatProperty(key, value))
  return `# ${title}\n# All keys: ../broker.conf and docs/guides/configuration.md\n\n${lines.join('\n')}\n`
}

function full(title: string, sections: readonly SettingsSection[], given: Given): string {
  const head = [
    `# ${title}`,
    '# Every key that has an effect, with its default behind a #. Keys of RocketMQ that are not listed are accepted.',
    '# Made from the settings tables in src/config by npm run docs:config.',
  ]
  const seen = new Set<string>()
  const parts = sections.flatMap(section => {
    const rows = Object.entries(section.rows).filter(([key, row]) => isEffective(row) && !seen.has(key))
    for (const [key] of rows) seen.add(key)
    return rows.length === 0 ? [] : [`\n## ${section.title}`, ...rows.map(([key, row]) => entry(key, row, given[key]))]
  })
  return `${[...head, ...parts].join('\n')}\n`
}

function entry(key: string, row: Setting, given: string | undefined): string {
  const isComputed = typeof row.default === 'object'
  const more = [
    ...(row.type === 'string' ? [] : [allowedValues(row)]),
    ...(isComputed ? [`default: ${(row.default as { text: string }).text}`] : []),
    ...(isMutable(row) ? ['can change at run time'] : []),
  ]
  const comment = `\n# ${row.doc}${more.length === 0 ? '' : `\n# (${more.join('; ')})`}`
  if (given !== undefined) return `${comment}\n${formatProperty(key, given)}`
  return `${comment}\n#${formatProperty(key, isComputed ? '' : formatSetting(row, row.default as string))}`
}

function isEffective(row: Setting): boolean {
  return row.state.kind === 'implemented'
}

function isMutable(row: Setting): boolean {
  return row.state.kind === 'implemented' && row.state.mutable
}

/** The keys of tables that have an effect; what a full sample must name. */
export function effectiveKeys(rows: SettingsTable): string[] {
  return Object.entries(rows).flatMap(([key, row]) => (isEffective(row) ? [key] : []))
}
