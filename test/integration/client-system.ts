import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerController } from '../../src/broker/index.js'
import { AdminClient } from '../../src/client/index.js'
import type { MessageExt } from '../../src/common/index.js'
import { brokerSettings } from '../../src/config/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { freePort } from '../support/free-port.js'
import { startTestNamesrv, type TestNamesrv } from '../support/namesrv.js'

export type BrokerValues = NonNullable<Parameters<typeof brokerSettings.create>[0]>

/** NameServers and one broker on ports that stay, so that each can go down and come back while clients run. */
export class TestSystem {
  private readonly store = mkdtempSync(join(tmpdir(), 'cometmq-clients-'))
  private nameServers: TestNamesrv[] = []
  private ports: number[] = []
  private brokerPort = 0
  private controller: BrokerController | undefined

  constructor(private readonly values: BrokerValues = {}) {}

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
    this.nameServers[index] = await startTestNamesrv({ values: { listenPort: this.ports[index] } })
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
      ...this.values,
    })
    this.controller = new BrokerController({
      settings: settings.values,
      configuration: settings,
      clock: systemClock,
      logger: silentLogger,
    })
    await this.controller.start()
  }

  async stopBroker(): Promise<void> {
    await this.controller?.stop()
    this.controller = undefined
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
