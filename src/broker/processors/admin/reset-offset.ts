import { CometRequestCode, type MessageQueue, ObjectKeyMap, RequestCode } from '../../../common/index.js'
import {
  OffsetResetPreviewRequestHeader,
  ok,
  ResetOffsetRequestHeader,
  type Route,
  route,
  UndoOffsetResetRequestHeader,
} from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { ClientOffsetReset } from '../../offset/client-offset-reset.js'
import { type OffsetResetPlan, OffsetResetService, type PlannedQueue } from '../../offset/offset-reset-service.js'
import { jsonBody } from './json-body.js'

/** INVOKE_BROKER_TO_RESET_OFFSET (222), its preview and its undo. */
export function resetOffsetRoutes(broker: BrokerContext): Route[] {
  const resets = new OffsetResetService(broker)
  const parts = { broker, resets, clients: new ClientOffsetReset(broker, resets) }
  return [resetRoute(parts), previewRoute(parts), undoRoute(parts)]
}

interface Parts {
  broker: BrokerContext
  resets: OffsetResetService
  clients: ClientOffsetReset
}

function resetRoute({ broker, resets, clients }: Parts): Route {
  return route({
    code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
    request: ResetOffsetRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(header, command) {
      if (!broker.settings.useServerSideResetOffset) {
        const wish = { ...header, isForce: header.isForce ?? false, language: command.language }
        return ok(offsetTableBody(resets, await clients.reset(wish)))
      }
      const plan = await resets.plan(header)
      await resets.reset(plan)
      return ok(offsetTableBody(resets, plan))
    },
  })
}

/** Ours: the same checks and the same answer to "where to", and nothing changes. */
function previewRoute({ resets }: Parts): Route {
  return route({
    code: CometRequestCode.PREVIEW_OFFSET_RESET,
    request: OffsetResetPreviewRequestHeader,
    lane: 'admin',
    action: 'GET',
    async handle(header) {
      const plan = header.undo ? resets.planUndo(header.topic, header.group) : await resets.plan(header)
      return ok(previewBody(resets, plan))
    },
  })
}

/** Ours: the group goes back to where it was before its last reset. */
function undoRoute({ broker, resets, clients }: Parts): Route {
  return route({
    code: CometRequestCode.UNDO_OFFSET_RESET,
    request: UndoOffsetResetRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle({ topic, group }, command) {
      const plan = resets.planUndo(topic, group)
      if (broker.settings.useServerSideResetOffset) await resets.undo(plan)
      else {
        clients.undo(plan, command.language)
        await broker.offsetResets.forget(topic, group)
      }
      return ok(previewBody(resets, plan))
    },
  })
}

function offsetTableBody(resets: OffsetResetService, { topic, queues }: OffsetResetPlan): Buffer {
  const entries = queues.map(({ queueId, after }): [MessageQueue, number] => [resets.queueOf(topic, queueId), after])
  return jsonBody({ offsetTable: new ObjectKeyMap(entries) })
}

function previewBody(resets: OffsetResetService, { topic, queues }: OffsetResetPlan): Buffer {
  return jsonBody({
    queues: queues.map(queue => ({ queue: resets.queueOf(topic, queue.queueId), ...queue, ...effect(queue) })),
  })
}

/** How many stored messages the group would get again, and how many it would never get. */
function effect({ before, after, minOffset }: PlannedQueue): { reread: number; skipped: number } {
  const from = Math.max(before, minOffset)
  const to = Math.max(after, minOffset)
  return { reread: Math.max(0, from - to), skipped: after < 0 ? 0 : Math.max(0, to - from) }
}
