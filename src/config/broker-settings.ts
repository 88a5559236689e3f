import { join } from 'node:path'
import { defineSettings } from './define-settings.js'
import type { SettingsOf } from './setting.js'
import type { Settings } from './settings.js'
import { auth } from './tables/auth.js'
import { brokerCluster, brokerNewer } from './tables/broker-cluster.js'
import { brokerCore, brokerIdentity } from './tables/broker-core.js'
import { brokerDelivery } from './tables/broker-delivery.js'
import { brokerLimits } from './tables/broker-limits.js'
import { nettyClient, nettyServer } from './tables/netty.js'
import { logging } from './tables/own.js'
import { storeLog } from './tables/store-log.js'
import { storeNewer, storeRest } from './tables/store-rest.js'

const broker = { ...brokerCore, ...brokerDelivery, ...brokerCluster, ...brokerLimits }
const store = { ...storeLog, ...storeRest }
const rows = {
  ...brokerIdentity,
  ...broker,
  ...brokerNewer,
  ...nettyClient,
  ...nettyServer,
  ...store,
  ...storeNewer,
  ...auth,
  ...logging,
}

/** Values of a broker by Java's key names. */
export type BrokerSettings = SettingsOf<typeof rows>
export type BrokerSettingsHandle = Settings<BrokerSettings>

/** All keys of a broker: identity, broker, network, store, access control, logging. */
export const brokerSettings = defineSettings({
  name: 'broker',
  rows,
  sections: [
    { title: 'Identity', rows: brokerIdentity },
    { title: 'Broker', rows: broker },
    { title: 'Server connections', rows: nettyServer },
    { title: 'Calls to peers', rows: nettyClient },
    { title: 'Message store', rows: store },
    { title: 'Access control', rows: auth },
    { title: 'Keys of later releases', rows: { ...brokerNewer, ...storeNewer } },
    { title: 'Logging (ours)', rows: logging },
  ],
  blocked: ['configBlackList', 'brokerConfigPath', 'rocketmqHome'],
  defaultFile: values => join(values.storePathRootDir, 'config', 'broker.properties'),
  derive: ({ brokerRole, haListenPort, listenPort }) => ({
    // Only a slave has an id of its own; and 0, "any free port", has no neighbour.
    ...(brokerRole === 'SLAVE' ? {} : { brokerId: 0 }),
    ...(haListenPort > 0 || listenPort === 0 ? {} : { haListenPort: listenPort + 1 }),
  }),
})
