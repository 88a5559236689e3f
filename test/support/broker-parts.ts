import type { BrokerIdentity } from '../../src/broker/identity.js'
import type { BrokerSettings } from '../../src/broker/settings.js'
import { brokerSettings } from '../../src/config/index.js'
import { silentLogger } from '../../src/util/index.js'
import { ManualClock } from './manual-clock.js'
import { tempDir } from './temp-dir.js'

export const testIdentity: BrokerIdentity = {
  clusterName: 'TestCluster',
  brokerName: 'broker-a',
  brokerId: 0,
  address: '127.0.0.1:10911',
  haAddress: '127.0.0.1:10912',
}

/** What the managers of a broker are made with: default settings, a folder of its own, a clock that stands still. */
export function brokerParts(overrides: Partial<BrokerSettings> = {}) {
  const clock = new ManualClock()
  const settings: BrokerSettings = brokerSettings.create({ storePathRootDir: tempDir(), ...overrides }, clock).values
  return { clock, settings, logger: silentLogger, identity: testIdentity }
}
