import { type JsonValue, parseFastJson, ResponseCode, readObject, readStringMap } from '../../common/index.js'
import type { ExtFields, OutgoingRequest, RemotingCommand } from '../../remoting/index.js'
import { readProperties } from '../../util/index.js'
import { responseFailure } from '../client-error.js'
import { ClientInstance } from '../client-instance.js'
import type { ClientOptions } from '../client-options.js'

export interface AdminClientOptions extends Omit<ClientOptions, 'instance'> {
  /** Limit for each request. Default 5000. */
  timeoutMs?: number
}

export interface AdminRequest {
  /** Ext fields: `SomeRequestHeader.encode({...})`. */
  header?: ExtFields
  body?: Buffer | string
  timeoutMs?: number
  /** Codes besides SUCCESS that are not thrown. */
  accept?: readonly number[]
}

const DEFAULT_TIMEOUT_MS = 5000

/** Requests of any code to NameServers and brokers: what {@link AdminClient} is made of. */
export class AdminChannel {
  protected readonly instance: ClientInstance
  private readonly timeoutMs: number

  constructor(options: AdminClientOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.instance = new ClientInstance({ ...options, timeoutMs: this.timeoutMs })
  }

  get namesrvAddresses(): readonly string[] {
    return this.instance.nameServers.addresses
  }

  async start(): Promise<void> {
    this.instance.acquire()
  }

  async stop(): Promise<void> {
    await this.instance.release()
  }

  /** @throws MQClientError when the answer is neither SUCCESS nor accepted, or does not come */
  async invokeBroker(address: string, code: number, request: AdminRequest = {}): Promise<RemotingCommand> {
    const timeoutMs = request.timeoutMs ?? this.timeoutMs
    const response = await this.instance.brokers.connection.request({ address }, outgoing(code, request), timeoutMs)
    return accepted(response, address, request)
  }

  /** Asks one NameServer, or the next one when it does not answer. @throws MQClientError */
  invokeNamesrv(code: number, request: AdminRequest = {}): Promise<RemotingCommand> {
    return this.instance.nameServers.invokeOk(
      outgoing(code, request),
      request.timeoutMs ?? this.timeoutMs,
      request.accept,
    )
  }

  /** Asks this NameServer. @throws MQClientError */
  async invokeNamesrvAt(address: string, code: number, request: AdminRequest = {}): Promise<RemotingCommand> {
    const timeoutMs = request.timeoutMs ?? this.timeoutMs
    const response = await this.instance.nameServers.invokeAt(address, outgoing(code, request), timeoutMs)
    return accepted(response, address, request)
  }

  /** Asks all of them, one after the other. @throws the first failure, once all were asked */
  async invokeEachNamesrv(code: number, request: AdminRequest = {}, addresses = this.namesrvAddresses): Promise<void> {
    const failures: unknown[] = []
    for (const address of addresses) {
      await this.invokeNamesrvAt(address, code, request).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  protected async brokerJson(address: string, code: number, request: AdminRequest = {}): Promise<JsonValue> {
    return parseFastJson((await this.invokeBroker(address, code, request)).body)
  }

  protected async namesrvJson(code: number, request: AdminRequest = {}): Promise<JsonValue> {
    return parseFastJson((await this.invokeNamesrv(code, request)).body)
  }
}

function outgoing(code: number, request: AdminRequest): OutgoingRequest {
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
  return { code, extFields: request.header, body }
}

function accepted(response: RemotingCommand, address: string, request: AdminRequest): RemotingCommand {
  if (response.code === ResponseCode.SUCCESS || request.accept?.includes(response.code)) return response
  throw responseFailure(response, address)
}

/** Body KVTable. */
export function tableOf(json: JsonValue): Map<string, string> {
  return readStringMap(readObject(json).table)
}

/** A body of `key=value` lines. */
export function propertiesOf(body: Buffer): Map<string, string> {
  return new Map(readProperties(body.toString('utf8')))
}
