import type { MessageModel } from '../../common/index.js'
import type { ClientInstance } from '../client-instance.js'
import type { ClientOptions } from '../client-options.js'
import { LocalOffsetStore } from './local-offset-store.js'
import type { OffsetStore } from './offset-store.js'
import { RemoteOffsetStore } from './remote-offset-store.js'

interface ModelOptions {
  readonly group: string
  readonly messageModel?: MessageModel
  readonly offsetStoreDirectory?: string
}

/** What a consumer introduces itself with: the offset file of a broadcasting one is found again by the client id. */
export function consumerIdentity<O extends ClientOptions & ModelOptions>(options: O): O {
  return options.messageModel === 'BROADCASTING' ? { instanceName: 'DEFAULT', ...options } : options
}

/** Where a consumer keeps how far it is: the brokers when a group shares the queues, a file when each reads all. */
export function newOffsetStore(instance: ClientInstance, options: ModelOptions): OffsetStore {
  const { group, messageModel, offsetStoreDirectory: directory } = options
  if (messageModel !== 'BROADCASTING') return new RemoteOffsetStore(instance, group)
  return new LocalOffsetStore({ directory, clientId: instance.clientId, group, logger: instance.logger })
}
