import { SystemTopic } from '../../common/index.js'
import type { ClientInstance } from '../client-instance.js'
import { TraceDispatcher, type TraceSender } from './trace-dispatcher.js'

/** Tracing, off unless it is asked for. */
export interface TraceOptions {
  /** Write to the trace topic what this client sends or consumes. Default false. */
  enableTrace?: boolean
  /** Default RMQ_SYS_TRACE_TOPIC; brokers have it with `traceTopicEnable=true`. */
  traceTopic?: string
  /** Calls traced in one message, at most 20. Default 10. */
  traceMsgBatchNum?: number
}

export interface TraceClient {
  group: string
  kind: 'PRODUCE' | 'CONSUME'
  instance: ClientInstance
  /** Makes the producer that carries the traces. */
  newSender: (group: string) => TraceSender
}

let sequence = 0

/** Undefined when tracing is off. */
export function newTraceDispatcher(options: TraceOptions, client: TraceClient): TraceDispatcher | undefined {
  if (!options.enableTrace) return undefined
  const { clock, logger } = client.instance
  return new TraceDispatcher({
    topic: options.traceTopic ?? SystemTopic.TRACE,
    // a group nobody else has, in this process at least: two producers of a group cannot share an instance
    sender: client.newSender(`_INNER_TRACE_PRODUCER-${client.group}-${client.kind}-${++sequence}`),
    clock,
    logger,
    ...(options.traceMsgBatchNum === undefined ? {} : { batchSize: options.traceMsgBatchNum }),
  })
}

/** The address in a client id. */
export function clientIpOf(instance: ClientInstance): string {
  return instance.clientId.split('@')[0]!
}
