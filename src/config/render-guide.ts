import { brokerSettings } from './broker-settings.js'
import type { SettingsSection } from './define-settings.js'
import { namesrvSettings } from './namesrv-settings.js'
import { allowedValues, formatSetting } from './parse-setting.js'
import type { Setting } from './setting.js'

const INTRO = `# Configuration

<!-- Made by \`npm run docs:config\` from the settings tables and render-guide.ts in src/config: edit those. -->

NameServer and broker read the properties files of RocketMQ, with the same keys, defaults and meanings:

\`\`\`
bin/mqnamesrv -c conf/namesrv.conf
bin/mqbroker  -c conf/broker.conf -n 127.0.0.1:9876
\`\`\`

## Options

| Option | Meaning |
|---|---|
| \`-c\`, \`--configFile <file>\` | Properties file with settings. Changes at run time are written into it. |
| \`-n\`, \`--namesrvAddr <list>\` | NameServers, \`host:port\` separated by \`;\`. |
| \`-p\`, \`--printConfigItem\` | Print all settings as they would be used, and exit. |
| \`-m\`, \`--printImportantConfig\` | Broker only: print the most used ones, and exit. |
| \`--set <key=value>\` | Any setting; may be repeated. |
| \`--logLevel <level>\`, \`--logFormat <text\\|json>\` | Short for the settings of these names. |
| \`-h\`, \`--help\` | Print the options, and exit. |

Long names may be shortened while they are unique, and written with one dash, as with RocketMQ.

| Exit code | Reason |
|---|---|
| 0 | Stopped as asked, or printed what was asked for. |
| 1 | The command line is wrong. |
| 253 | A setting is wrong, or the start failed: port in use, store not usable. |
| 255 | The file cannot be read, or something unexpected happened. |
| 128 + n | Ended at once by a second signal n while stopping. |

\`bin/mqshutdown broker\` and \`bin/mqshutdown namesrv\` stop the daemons of the calling user and wait up to
60 s for them (\`--wait <seconds>\`; 0 does not wait).

## Where a value comes from

The last of these that names a key counts:

1. the default in the tables below,
2. the file given with \`-c\`,
3. the environment: \`NAMESRV_ADDR\`, \`ROCKETMQ_HOME\`, and \`ROCKETMQ_\` with a key in capitals
   (\`ROCKETMQ_LISTEN_PORT\`, \`ROCKETMQ_BROKER_IP1\`; underscores do not count),
4. options.

Some values then follow from others: every master has \`brokerId\` 0, and \`haListenPort\` 0 becomes
\`listenPort\` + 1.

## What differs from RocketMQ

- \`ROCKETMQ_HOME\` is not needed. It is accepted and shown as \`rocketmqHome\`.
- The environment wins over the file. In RocketMQ the file wins over \`NAMESRV_ADDR\`.
- A value that does not fit its key stops the start with the file, the line, the key, the value and what is
  allowed; RocketMQ takes the default without a word. Blanks behind a value do not count.
- A key nobody knows is kept, shown by \`getBrokerConfig\`, and named in the log with the nearest known key.
- A key that is known but not supported yet, or has no effect here, is named in the log once when it is set to
  something else than its default. Where ignoring it would be dangerous (access control, replication, other
  store forms), the start stops and says why.
- Files may be UTF-8. What is not valid UTF-8 is read as ISO-8859-1, as RocketMQ does.
- \`mqbroker -p\` shows the port that is listened on; RocketMQ also shows 6888, a default that nothing uses.

## Changing settings at run time

\`mqadmin updateBrokerConfig\` and \`updateNamesrvConfig\` change the keys marked "run time" below. An update
is checked as a whole, written to the \`-c\` file and then applied; when one of the steps fails nothing has
changed and the answer says why. Only the changed lines of the file are rewritten, comments stay, and
\`<file>.bak\` holds what was there before (RocketMQ writes all keys and loses comments). Without \`-c\` the
broker writes \`<storePathRootDir>/config/broker.properties\` and the NameServer
\`~/namesrv/namesrv.properties\`; as with RocketMQ, these are read at the next start only when given with
\`-c\`. The keys in \`configBlackList\` and a few fixed ones cannot be changed remotely (answer code 16), keys
that need a restart are refused, unknown keys are left alone.

## Logs

One line per event on standard output: time (UTC), level, component, text and fields. \`logFormat=json\`
writes an object per event instead; \`logFile\` writes to a file that is put aside as \`<file>.1\`,
\`<file>.2\`, ... when it has grown to \`logFileMaxBytes\`. Logging never waits for the disk or a terminal:
with 16 MiB unwritten, lines are dropped.

## Reading the tables

"Change": *run time* keys can be updated while running, *restart* keys are read at start. "Not yet": known,
accepted, no effect so far; *refused* ones accept only the default. "None": meaningless here, for the reason
given.
`

/** The page docs/guides/configuration.md. */
export function renderGuide(): string {
  return `${INTRO}
# Broker
${tables(brokerSettings.sections)}
# NameServer
${tables(namesrvSettings.sections)}`
}

function tables(sections: readonly SettingsSection[]): string {
  return sections
    .map(({ title, rows }) => {
      const lines = Object.entries(rows).map(([key, row]) => line(key, row))
      return `\n## ${title}\n\n| Key | Default | Change | Meaning |\n|---|---|---|---|\n${lines.join('\n')}\n`
    })
    .join('')
}

function line(key: string, row: Setting): string {
  const shown = typeof row.default === 'object' ? row.default.text : formatSetting(row, row.default)
  const value = shown === '' ? '' : typeof row.default === 'object' ? shown : `\`${cell(shown)}\``
  const isPlain = row.type === 'string' || row.type === 'boolean' || row.state.kind !== 'implemented'
  const allowed = isPlain ? '' : ` Allowed: ${allowedValues(row)}.`
  return `| \`${key}\` | ${value} | ${change(row)} | ${cell(row.doc)}${cell(allowed)}${cell(remark(row))} |`
}

function change(row: Setting): string {
  if (row.state.kind === 'implemented') return row.state.mutable ? 'run time' : 'restart'
  if (row.state.kind === 'noEffect') return 'none'
  return row.state.refusal === undefined ? 'not yet' : 'refused'
}

function remark(row: Setting): string {
  if (row.state.kind === 'noEffect') return ` No effect: ${row.state.reason}.`
  if (row.state.kind === 'planned' && row.state.refusal !== undefined) return ` Refused: ${row.state.refusal}.`
  const refused = Object.entries(row.refuse ?? {}).map(([value, why]) => ` \`${value}\` is refused: ${why}.`)
  return refused.join('')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
