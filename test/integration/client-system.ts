import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerController } from '../../src/broker/index.js'
import { AdminClient } from '../../src/client/index.js'
import type { MessageExt } from '../../src/common/index.js'
import { brokerSettings } from '../../src/config/index.js'
import type { RemotingServer } from '../../src/remoting/index.js'
import { type Clock, freePort, silentLogger, systemClock } from '../../src/util/index.js'
import { startTestNamesrv, type TestNamesrv } from '../support/namesrv.js'

export type BrokerValues = NonNullable<Parameters<typeof brokerSettings.create>[0]>

/** NameServers and one broker on ports that stay, so that each can go down and come back while clients run. */
export class TestSystem {
  private store = mkdtempSync(join(tmpdir(), 'cometmq-clients-'))
  private nameServers: TestNamesrv[] = []
  private ports: number[] = []
  private brokerPort = 0
  private controller: BrokerController | undefined

  constructor(
    private readonly values: BrokerValues = {},
    readonly clock: Clock = systemClock,
  ) {}

  get namesrvAddr(): string {
    return this.ports.map(port => `127.0.0.1:${port}`).join(';')
  }

  get brokerAddr(): string {
    return `127.0.0.1:${this.brokerPort}`
  }

  get broker(): BrokerController {
    return this.controller!
  }

  async start(nameServers = 1): Promise<this> {
    for (let i = 0; i < nameServers; i++) await this.startNameServer(i)
    this.brokerPort = await freePort()
    await this.startBroker()
    return this
  }

  async startNameServer(index: number): Promise<void> {
    this.ports[index] ??= await freePort()
    this.nameServers[index] = await startTestNamesrv({
      clock: this.clock,
      values: { listenPort: this.ports[index] },
    })
  }

  async stopNameServer(index: number): Promise<void> {
    await this.nameServers[index]?.stop()
  }

  async startBroker(): Promise<void> {
    const settings = brokerSettings.create({
      namesrvAddr: this.namesrvAddr,
      brokerName: 'broker-a',
      brokerIP1: '127.0.0.1',
      brokerIP2: '127.0.0.1',
      listenPort: this.brokerPort,
      storePathRootDir: this.store,
      mappedFileSizeCommitLog: 1024 * 1024,
      // a machine that is busy with tests is no reason to turn sends away
      waitTimeMillsInSendQueue: 5000,
      ...this.values,
    })
    this.controller = new BrokerController({
      settings: settings.values,
      configuration: settings,
      clock: this.clock,
      logger: silentLogger,
    })
    await this.controller.start()
  }

  async stopBroker(): Promise<void> {
    await this.controller?.stop()
    this.controller = undefined
  }

  /**
   * Ends the broker as kill -9 does: connections break in the middle, and it starts again from what its files hold at
   * this moment.
   */
  async killBroker(): Promise<void> {
    const killed = this.broker
    const server = Reflect.get(killed, 'server') as RemotingServer
    server.stopAccepting()
    for (const connection of server.connections) connection.close('killed')
    const old = this.store
    this.store = mkdtempSync(join(tmpdir(), 'cometmq-clients-'))
    // in the same turn as above: nothing is answered that the copy does not have
    cpSync(old, this.store, { recursive: true })
    await this.stopBroker()
    rmSync(old, { recursive: true, force: true })
  }

  async stop(): Promise<void> {
    await this.stopBroker()
    await Promise.all(this.nameServers.map(nameServer => nameServer.stop()))
    rmSync(this.store, { recursive: true, force: true })
  }

  /** Runs `use` with an admin client of this system. */
  async asAdmin<T>(use: (admin: AdminClient) => Promise<T>): Promise<T> {
    const admin = new AdminClient({ namesrvAddr: this.namesrvAddr })
    await admin.start()
    try {
      return await use(admin)
    } finally {
      await admin.stop()
    }
  }

  async createTopic(topicName: string, queues = 4): Promise<void> {
    await this.asAdmin(admin =>
      admin.createTopic(this.brokerAddr, { topicName, readQueueNums: queues, writeQueueNums: queues, perm: 6 }),
    )
  }
}

/** Bodies as texts, in the order in which they came. */
export class Inbox {
  readonly texts: string[] = []
  readonly messages: MessageExt[] = []

  readonly take = (messages: readonly MessageExt[]): void => {
    for (const message of messages) {
      this.messages.push(message)
      this.texts.push(message.body.toString())
    }
  }

  /** Each text once, sorted. */
  get distinct(): string[] {
    return [...new Set(this.texts)].sort()
  }
}
