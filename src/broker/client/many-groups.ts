import type { Logger } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import type { ClientConnection } from './client-channel.js'

export type ManyGroupsSettings = Pick<BrokerSettings, 'printChannelGroups' | 'printChannelGroupsMinNum'>

/** Fewer are not many, whatever the setting says. */
const FEWEST = 5

/** Says with `printChannelGroups` that a connection has ended which belonged to many groups. */
export function warnOfManyGroups(
  kind: 'consumer' | 'producer',
  { peer }: Pick<ClientConnection, 'peer'>,
  groups: ReadonlySet<string> | undefined,
  { settings, logger }: { settings: ManyGroupsSettings; logger: Logger },
): void {
  const count = groups?.size ?? 0
  if (!settings.printChannelGroups || count < Math.max(FEWEST, settings.printChannelGroupsMinNum)) return
  logger.warn(
    { event: 'many-groups', kind, remote: peer.text, count },
    `the connection of ${peer.text} that ended belonged to ${count} ${kind} groups: ${[...groups!].join(', ')}`,
  )
}
