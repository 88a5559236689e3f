import { RequestCode, ResponseCode, stringifyFastJson, type TopicRouteData } from '../../src/common/index.js'
import {
  type Connection,
  fail,
  GetRouteInfoRequestHeader,
  type Hold,
  NoHeader,
  ok,
  okWith,
  type RemotingCommand,
  RemotingServer,
  type Reply,
  RequestPipeline,
  RouteTable,
  route,
  SendMessageResponseHeader,
} from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'

export interface SeenRequest {
  code: number
  ext: Record<string, string>
  body: Buffer
  oneway: boolean
  remark: string | undefined
  connection: Connection
}

export type Answer = (request: SeenRequest) => Reply | Hold | Promise<Reply | Hold>

/** A broker that answers as the test says and keeps what it was asked. */
export class FakeBroker {
  readonly seen: SeenRequest[] = []
  readonly answers = new Map<number, Answer>()
  private server: RemotingServer | undefined

  constructor(readonly name: string) {
    this.answers.set(RequestCode.HEART_BEAT, () => ok())
    this.answers.set(RequestCode.UNREGISTER_CLIENT, () => ok())
    const sendOk: Answer = ({ ext }) =>
      okWith(SendMessageResponseHeader, {
        msgId: '7F00000100002A9F0000000000000064',
        queueId: Number(ext.e),
        queueOffset: 7,
      })
    for (const code of [
      RequestCode.SEND_MESSAGE_V2,
      RequestCode.SEND_BATCH_MESSAGE,
      RequestCode.SEND_REPLY_MESSAGE_V2,
    ]) {
      this.answers.set(code, sendOk)
    }
  }

  get address(): string {
    return `127.0.0.1:${this.server!.port}`
  }

  codes(): number[] {
    return this.seen.map(request => request.code)
  }

  of(code: number): SeenRequest[] {
    return this.seen.filter(request => request.code === code)
  }

  async start(codes: readonly number[] = Object.values(RequestCode)): Promise<void> {
    const routes = codes.map(code =>
      route({
        code,
        request: NoHeader,
        lane: 'admin',
        action: 'ANY',
        handle: (_header, command, connection) => this.handle(command, connection),
      }),
    )
    this.server = await listen(routes)
  }

  async stop(): Promise<void> {
    await this.server?.stop()
  }

  private handle(command: RemotingCommand, connection: Connection): ReturnType<Answer> {
    const request: SeenRequest = {
      code: command.code,
      ext: command.extFields ?? {},
      body: command.body,
      oneway: command.isOneway,
      remark: command.remark,
      connection,
    }
    this.seen.push(request)
    const answer = this.answers.get(command.code)
    return answer ? answer(request) : fail(ResponseCode.SYSTEM_ERROR, `no answer scripted for ${command.code}`)
  }
}

/** A NameServer that knows the routes a test gives it, and counts the questions. */
export class FakeNameServer {
  readonly routes = new Map<string, TopicRouteData>()
  readonly asked: string[] = []
  private server: RemotingServer | undefined

  get address(): string {
    return `127.0.0.1:${this.server!.port}`
  }

  async start(): Promise<void> {
    this.server = await listen([
      route({
        code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
        request: GetRouteInfoRequestHeader,
        lane: 'route',
        action: 'GET',
        handle: ({ topic }) => {
          this.asked.push(topic)
          const found = this.routes.get(topic)
          return found
            ? ok(Buffer.from(stringifyFastJson(found)))
            : fail(ResponseCode.TOPIC_NOT_EXIST, `No topic route info in name server for the topic: ${topic}`)
        },
      }),
    ])
  }

  async stop(): Promise<void> {
    await this.server?.stop()
  }

  /** Lets a topic have `queues` queues on each of the brokers. */
  put(topic: string, brokers: readonly FakeBroker[], queues = 2): void {
    this.routes.set(topic, {
      brokerDatas: brokers.map(broker => ({
        brokerName: broker.name,
        cluster: 'C',
        enableActingMaster: false,
        brokerAddrs: new Map([[0, broker.address]]),
      })),
      filterServerTable: new Map(),
      queueDatas: brokers.map(broker => ({
        brokerName: broker.name,
        perm: 6,
        readQueueNums: queues,
        writeQueueNums: queues,
        topicSysFlag: 0,
      })),
    })
  }
}

async function listen(routes: ConstructorParameters<typeof RouteTable>[0]): Promise<RemotingServer> {
  const pipeline = new RequestPipeline({ routes: new RouteTable(routes), clock: systemClock, logger: silentLogger })
  const server = new RemotingServer({
    host: '127.0.0.1',
    port: 0,
    pipeline,
    clock: systemClock,
    logger: silentLogger,
    portSetting: 'test',
  })
  await server.start()
  return server
}
