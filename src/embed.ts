import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerController } from './broker/index.js'
import { brokerSettings, namesrvSettings } from './config/index.js'
import { NamesrvController } from './namesrv/index.js'
import { type Clock, freePort, type Logger, makeFolders, silentLogger, systemClock } from './util/index.js'

type BrokerOverrides = Parameters<typeof brokerSettings.create>[0]
type NamesrvOverrides = Parameters<typeof namesrvSettings.create>[0]

export interface StartCometMQOptions {
  /** Folder of the store; a temporary one, removed at the end, when left out. */
  store?: string
  /** Port of the NameServer; a free one when left out. */
  namesrvPort?: number
  /** Port of the Broker (its fast port is two below); a free one when left out. */
  brokerPort?: number
  /** Address clients are told to connect to. Default 127.0.0.1. */
  ip?: string
  clock?: Clock
  logger?: Logger
  /** Any key of the broker's configuration. */
  broker?: BrokerOverrides
  /** Any key of the NameServer's configuration. */
  namesrv?: NamesrvOverrides
  /** What errors call the two ports. */
  portSettings?: { namesrv: string; broker: string }
}

/** A NameServer and a Broker running in this process. */
export interface CometMQ {
  /** What clients take as NameServer address. */
  readonly namesrvAddr: string
  readonly brokerAddr: string
  readonly storePath: string
  /** Stops both gracefully; a temporary store is removed. */
  stop(): Promise<void>
}

/**
 * Starts the whole system inside this process: real sockets, real files, the same code as the daemons.
 * @throws MQError naming the setting, port or folder in the way, or the system's error when the folder cannot be made.
 */
export async function startCometMQ(options: StartCometMQOptions = {}): Promise<CometMQ> {
  const store = options.store ?? (await mkdtemp(join(tmpdir(), 'cometmq-')))
  const removeStore = async (): Promise<void> => {
    if (options.store === undefined) await rm(store, { recursive: true, force: true })
  }
  try {
    const { namesrv, broker, ...addresses } = await startBoth(store, options)
    return {
      ...addresses,
      storePath: store,
      async stop() {
        await broker.stop()
        await namesrv.stop()
        await removeStore()
      },
    }
  } catch (error) {
    await removeStore()
    throw error
  }
}

async function startBoth(store: string, options: StartCometMQOptions) {
  const { clock = systemClock, logger = silentLogger, ip = '127.0.0.1' } = options
  makeFolders(store)
  const namesrvPort = options.namesrvPort ?? (await freePort())
  const namesrvConfig = namesrvSettings.create({
    listenPort: namesrvPort,
    kvConfigPath: join(store, 'namesrv', 'kvConfig.json'),
    configStorePath: join(store, 'namesrv', 'namesrv.properties'),
    ...options.namesrv,
  })
  const namesrv = new NamesrvController({
    settings: namesrvConfig,
    clock,
    logger,
    ...(options.portSettings ? { portSetting: options.portSettings.namesrv } : {}),
  })
  const namesrvAddr = `${ip}:${namesrvPort}`
  const brokerPort = options.brokerPort ?? (await freePort())
  const brokerConfig = brokerSettings.create({
    namesrvAddr,
    brokerIP1: ip,
    brokerIP2: ip,
    listenPort: brokerPort,
    storePathRootDir: store,
    ...options.broker,
  })
  const broker = new BrokerController({
    settings: brokerConfig.values,
    configuration: brokerConfig,
    clock,
    logger,
    ...(options.portSettings ? { portSetting: options.portSettings.broker } : {}),
  })
  try {
    await namesrv.start()
    await broker.start()
  } catch (error) {
    await namesrv.stop()
    throw error
  }
  return { namesrv, broker, namesrvAddr, brokerAddr: `${ip}:${brokerPort}` }
}
