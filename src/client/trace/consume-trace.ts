import { type MessageExt, PropertyName, type TraceContextCode, type TraceRecord } from '../../common/index.js'
import type { Clock } from '../../util/index.js'
import type { ClientInstance } from '../client-instance.js'
import { Producer } from '../producer/producer.js'
import type { TraceDispatcher } from './trace-dispatcher.js'
import { clientIpOf, newTraceDispatcher, type TraceOptions } from './trace-options.js'

export interface ConsumeTraceParts {
  dispatcher: TraceDispatcher
  group: string
  clientIp: string
  clock: Clock
  newRequestId: () => string
}

/** How a call of the listener ended. */
export interface ConsumeEnd {
  success: boolean
  code: TraceContextCode
}

/** Traces of a consumer: a record per message before the listener is called and one after (broker-behaviour 10). */
export class ConsumeTrace {
  constructor(private readonly parts: ConsumeTraceParts) {}

  start(): Promise<void> {
    return this.parts.dispatcher.start()
  }

  stop(): Promise<void> {
    return this.parts.dispatcher.stop()
  }

  /** Call it before the listener, and what it gives when the listener is done. */
  begin(messages: readonly MessageExt[]): (end: ConsumeEnd) => void {
    const { dispatcher, group, clientIp, clock, newRequestId } = this.parts
    const traced = messages.filter(message => this.isTraced(message))
    const [first] = traced
    if (first === undefined) return () => {}
    const timestamp = clock.now()
    const requestId = newRequestId()
    const ids = traced.map(message => ({
      msgId: message.properties.get(PropertyName.UNIQ_KEY) ?? message.offsetMsgId,
      keys: message.properties.get(PropertyName.KEYS) ?? '',
      retryTimes: message.reconsumeTimes,
      regionId: message.properties.get(PropertyName.MSG_REGION) ?? '',
    }))
    dispatcher.add(
      ids.map((id): TraceRecord => ({ type: 'SubBefore', timestamp, group, requestId, ...id, clientHost: clientIp })),
    )
    return ({ success, code }) => {
      const now = clock.now()
      const costTime = Math.trunc((now - timestamp) / ids.length)
      const end = { requestId, costTime, success, contextCode: code, timestamp: now, group }
      dispatcher.add(ids.map(({ msgId, keys }): TraceRecord => ({ type: 'SubAfter', ...end, msgId, keys })))
    }
  }

  private isTraced({ topic, properties }: MessageExt): boolean {
    if (topic === this.parts.dispatcher.topic || properties.get(PropertyName.TRACE_ON) === 'false') return false
    return properties.has(PropertyName.MSG_REGION)
  }
}

/** For a consumer of `group`; undefined when tracing is off. */
export function newConsumeTrace(
  { group, instance }: { group: string; instance: ClientInstance },
  options: TraceOptions,
): ConsumeTrace | undefined {
  const dispatcher = newTraceDispatcher(options, {
    group,
    kind: 'CONSUME',
    instance,
    newSender: name => new Producer({ group: name, instance }),
  })
  if (dispatcher === undefined) return undefined
  const { clock, uniqIds } = instance
  const newRequestId = (): string => uniqIds.next()
  return new ConsumeTrace({ dispatcher, group, clientIp: clientIpOf(instance), clock, newRequestId })
}
