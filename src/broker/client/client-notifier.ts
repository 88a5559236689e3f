import { RequestCode, ResponseCode, ResponseError, VersionMark, versionName } from '../../common/index.js'
import {
  NotifyConsumerIdsChangedRequestHeader,
  type OutgoingRequest,
  type RemotingCommand,
} from '../../remoting/index.js'
import { type Clock, errorText, type Logger, MQError, PeriodicTask } from '../../util/index.js'
import type { BrokerSettings } from '../settings.js'
import type { ClientChannelInfo, ClientConnection } from './client-channel.js'
import type { ConsumerManager } from './consumer-manager.js'
import type { ProducerManager } from './producer-manager.js'

export interface ClientNotifierOptions {
  settings: Pick<BrokerSettings, 'notifyConsumerIdsChangedEnable' | 'realTimeNotifyConsumerChange'>
  consumers: Pick<ConsumerManager, 'addListener' | 'findChannel' | 'getConsumerGroupInfo'>
  producers: Pick<ProducerManager, 'getAvailableChannel' | 'findChannel'>
  clock: Clock
  logger: Logger
}

/** How often changes are told when they are gathered. */
const GATHERED_PERIOD_MS = 15_000

/** Everything the broker says to clients unasked (broker-behaviour 4.3, 12.4). */
export class ClientNotifier {
  private readonly gathered = new Set<string>()
  private readonly task: PeriodicTask

  constructor(private readonly options: ClientNotifierOptions) {
    const { clock, logger, consumers } = options
    this.task = new PeriodicTask({
      name: 'notices of changed groups',
      periodMs: GATHERED_PERIOD_MS,
      clock,
      logger,
      run: () => this.tellGathered(),
    })
    consumers.addListener({ onChange: (group, connections) => this.groupChanged(group, connections) })
  }

  start(): void {
    this.task.start()
  }

  stop(): Promise<void> {
    return this.task.stop()
  }

  /** Code 40: the client is to divide the queues of the group anew. */
  notifyConsumerIdsChanged(connection: ClientConnection, group: string): void {
    connection.invokeOneway({
      code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
      extFields: NotifyConsumerIdsChangedRequestHeader.encode({ consumerGroup: group }),
    })
  }

  /**
   * Asks one consumer of a group (307, 309) and gives its answer, whatever its code.
   * @throws ResponseError SYSTEM_ERROR when it is offline, too old or cannot be reached, CONSUME_MSG_TIMEOUT when it
   * does not answer in time.
   */
  callClient(group: string, clientId: string, request: OutgoingRequest, timeoutMs: number): Promise<RemotingCommand> {
    const channel = this.options.consumers.findChannel(group, clientId)
    if (channel === undefined) {
      return refuse(ResponseCode.SYSTEM_ERROR, `The Consumer <${group}> <${clientId}> not online`)
    }
    if (channel.version < VersionMark.V3_1_8_SNAPSHOT) {
      const version = versionName(channel.version)
      const advice = 'please upgrade it to V3_1_8_SNAPSHOT'
      const text = `The Consumer <${clientId}> Version <${version}> too low to finish, ${advice}`
      return refuse(ResponseCode.SYSTEM_ERROR, text)
    }
    return this.callConsumer(channel, group, request, timeoutMs)
  }

  /** {@link callClient} for a member that has been found already, of any version. */
  async callConsumer(
    channel: ClientChannelInfo,
    group: string,
    request: OutgoingRequest,
    timeoutMs: number,
  ): Promise<RemotingCommand> {
    try {
      return await channel.connection.invoke(request, timeoutMs)
    } catch (error) {
      const isLate = error instanceof MQError && error.code === 'ERR_REMOTING_TIMEOUT'
      const who = `<${group}> <${channel.clientId}>`
      throw isLate
        ? new ResponseError(ResponseCode.CONSUME_MSG_TIMEOUT, `consumer ${who} Timeout: ${errorText(error)}`)
        : new ResponseError(ResponseCode.SYSTEM_ERROR, `invoke consumer ${who} Exception: ${errorText(error)}`)
    }
  }

  /** Sends a request that wants no answer (220) to every consumer of a group. Gives how many there are. */
  notifyGroup(group: string, request: OutgoingRequest): number {
    const channels = this.options.consumers.getConsumerGroupInfo(group)?.channels
    if (channels === undefined) return 0
    for (const connection of channels.keys()) connection.invokeOneway(request)
    return channels.size
  }

  /** Sends a request that wants no answer (39) to one producer of a group. Undefined when none is online. */
  sendToProducer(group: string, request: OutgoingRequest): ClientConnection | undefined {
    const connection = this.options.producers.getAvailableChannel(group)
    connection?.invokeOneway(request)
    return connection
  }

  /** Asks a producer by its client id (326); undefined when it is not online. @throws MQError of the remoting */
  async callProducer(
    clientId: string,
    request: OutgoingRequest,
    timeoutMs: number,
  ): Promise<RemotingCommand | undefined> {
    return this.options.producers.findChannel(clientId)?.invoke(request, timeoutMs)
  }

  private groupChanged(group: string, connections: readonly ClientConnection[]): void {
    const { settings } = this.options
    if (!settings.notifyConsumerIdsChangedEnable) return
    if (!settings.realTimeNotifyConsumerChange) {
      this.gathered.add(group)
      return
    }
    for (const connection of connections) this.notifyConsumerIdsChanged(connection, group)
  }

  private tellGathered(): void {
    const groups = [...this.gathered]
    this.gathered.clear()
    if (!this.options.settings.notifyConsumerIdsChangedEnable) return
    for (const group of groups) {
      const channels = this.options.consumers.getConsumerGroupInfo(group)?.channels
      for (const connection of channels?.keys() ?? []) this.notifyConsumerIdsChanged(connection, group)
    }
  }
}

function refuse(code: number, remark: string): Promise<never> {
  return Promise.reject(new ResponseError(code, remark))
}
