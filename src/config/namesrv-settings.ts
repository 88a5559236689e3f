import { defineSettings } from './define-settings.js'
import { fixed, int, noEffect, type SettingsOf, type SettingsTable } from './setting.js'
import type { Settings } from './settings.js'
import { namesrv } from './tables/namesrv.js'
import { nettyClient, nettyServer } from './tables/netty.js'
import { logging } from './tables/own.js'

const server = {
  ...nettyServer,
  listenPort: int(9876, fixed, 'Port for brokers and clients; 0 takes any free one.', { max: 65_535 }),
}
const asksNothing = noEffect('a NameServer tells brokers things, it asks them nothing')
// Java reads and prints these, but does not list them to a remote asker.
const client = unlisted({
  ...nettyClient,
  isScanAvailableNameSrv: { ...nettyClient.isScanAvailableNameSrv, state: asksNothing },
  clientCloseSocketIfTimeout: { ...nettyClient.clientCloseSocketIfTimeout, state: asksNothing },
  enableReconnectForGoAway: { ...nettyClient.enableReconnectForGoAway, state: asksNothing },
})
const rows = { ...namesrv, ...client, ...server, ...logging }

/** Values of a NameServer by Java's key names. */
export type NamesrvSettings = SettingsOf<typeof rows>
export type NamesrvSettingsHandle = Settings<NamesrvSettings>

/** All keys of a NameServer. */
export const namesrvSettings = defineSettings({
  name: 'namesrv',
  rows,
  sections: [
    { title: 'NameServer', rows: namesrv },
    { title: 'Server connections', rows: server },
    { title: 'Calls to peers', rows: client },
    { title: 'Logging (ours)', rows: logging },
  ],
  blocked: ['configBlackList', 'configStorePath', 'kvConfigPath', 'rocketmqHome'],
  defaultFile: values => values.configStorePath,
  derive: () => ({}),
})

function unlisted<T extends SettingsTable>(rows: T): T {
  return Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, { ...row, listed: 'whenSet' }])) as T
}
