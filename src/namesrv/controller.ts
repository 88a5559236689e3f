import { RemotingServer, RequestPipeline, RouteTable } from '../remoting/index.js'
import type { Clock, Logger } from '../util/index.js'
import type { NamesrvContext } from './context.js'
import { KVConfigManager } from './kv-config-manager.js'
import { BrokerLiveness } from './liveness.js'
import { MinBrokerIdNotifier } from './min-broker-id-notifier.js'
import { namesrvRoutes } from './processors/index.js'
import { RouteBodies } from './route-bodies.js'
import { RouteInfoManager } from './route-info-manager.js'
import type { NamesrvSettingsSource } from './settings.js'
import { UnregistrationQueue } from './unregistration-queue.js'

export interface NamesrvControllerOptions {
  readonly settings: NamesrvSettingsSource
  readonly clock: Clock
  readonly logger: Logger
  /** Address to bind instead of the setting `bindAddress`. */
  readonly host?: string
  /** What an error calls the setting of the port. Default `listenPort`. */
  readonly portSetting?: string
}

/** A NameServer: its parts, put together. Knows nothing of the process it runs in. */
export class NamesrvController {
  private readonly kvConfig: KVConfigManager
  private readonly liveness: BrokerLiveness
  private readonly unregistrations: UnregistrationQueue
  private readonly notifier: MinBrokerIdNotifier
  private readonly server: RemotingServer

  constructor({ settings, clock, logger, host, portSetting = 'listenPort' }: NamesrvControllerOptions) {
    const { values } = settings
    const routeInfo = new RouteInfoManager({ values, clock })
    const kvConfig = new KVConfigManager({ path: values.kvConfigPath, logger })
    const notifier = new MinBrokerIdNotifier({ clock, logger })
    const onMinBrokerIdChange = notifier.notify.bind(notifier)
    const unregistrations = new UnregistrationQueue({ routeInfo, values, logger, onMinBrokerIdChange })
    const liveness = new BrokerLiveness({ routeInfo, unregistrations, values, clock, logger })
    const context: NamesrvContext = {
      settings,
      routeInfo,
      routeBodies: new RouteBodies({ routeInfo, kvConfig, values }),
      kvConfig,
      unregistrations,
      liveness,
      notifier,
      clock,
      logger,
      startedAt: clock.monotonic(),
    }
    this.kvConfig = kvConfig
    this.notifier = notifier
    this.unregistrations = unregistrations
    this.liveness = liveness
    this.server = new RemotingServer({
      host: host ?? values.bindAddress,
      port: values.listenPort,
      pipeline: new RequestPipeline({ routes: new RouteTable(namesrvRoutes(context)), clock, logger }),
      clock,
      logger,
      portSetting,
      idleMs: values.serverChannelMaxIdleTimeSeconds * 1000,
      backlog: values.serverSocketBacklog,
    })
  }

  /** The port listened on. */
  get port(): number {
    return this.server.port
  }

  /** @throws MQError ERR_PORT_IN_USE, ERR_LISTEN, or ERR_FILE_UNREADABLE for the key-value file. */
  async start(): Promise<void> {
    await this.kvConfig.load()
    await this.server.start()
    this.liveness.start()
  }

  /** Closes all connections and frees the port; changes under way are saved. */
  async stop(): Promise<void> {
    await this.liveness.stop()
    await this.server.stop()
    this.unregistrations.drain()
    this.notifier.stop()
    await this.kvConfig.settled()
  }
}
