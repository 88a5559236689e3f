import { RemotingServer, RequestPipeline, RouteTable } from '../remoting/index.js'
import { type Clock, type Logger, sleep } from '../util/index.js'
import type { NamesrvContext } from './context.js'
import { KVConfigManager } from './kv-config-manager.js'
import { BrokerLiveness } from './liveness.js'
import { MinBrokerIdNotifier } from './min-broker-id-notifier.js'
import { namesrvRoutes } from './processors/index.js'
import { RouteBodies } from './route-bodies.js'
import { RouteInfoManager } from './route-info-manager.js'
import type { NamesrvSettingsSource, NamesrvValues } from './settings.js'
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
  private readonly pipeline: RequestPipeline
  private readonly server: RemotingServer
  private readonly values: NamesrvValues
  private readonly clock: Clock
  private stopping: Promise<void> | undefined

  constructor({ settings, clock, logger, host, portSetting = 'listenPort' }: NamesrvControllerOptions) {
    const { values } = settings
    this.values = values
    this.clock = clock
    const routeInfo = new RouteInfoManager({ values, clock })
    const kvConfig = new KVConfigManager({ path: values.kvConfigPath, logger })
    const notifier = new MinBrokerIdNotifier({ clock, logger, policy: values })
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
    this.pipeline = new RequestPipeline({
      routes: new RouteTable(namesrvRoutes(context)),
      laneLimits: {
        route: values.clientRequestThreadPoolQueueCapacity,
        heartbeat: values.defaultThreadPoolQueueCapacity,
        admin: values.defaultThreadPoolQueueCapacity,
      },
      clock,
      logger,
    })
    this.server = new RemotingServer({
      host: host ?? values.bindAddress,
      port: values.listenPort,
      pipeline: this.pipeline,
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

  /**
   * Closes all connections and frees the port; changes under way are saved. With `enableShutdownGracefully` clients
   * that understand it are sent elsewhere for `shutdownWaitTimeSeconds` first, the others are served.
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce()
    return this.stopping
  }

  private async stopOnce(): Promise<void> {
    if (this.values.enableShutdownGracefully) {
      this.pipeline.goAway()
      await sleep(this.clock, this.values.shutdownWaitTimeSeconds * 1000)
    }
    await this.liveness.stop()
    await this.server.stop()
    this.unregistrations.drain()
    this.notifier.stop()
    await this.kvConfig.settled()
  }
}
