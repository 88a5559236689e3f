import { ResponseCode, ResponseError } from '../../common/index.js'
import type { PutStatus } from '../../store/index.js'
import { PUT_STATUS_REPLIES } from '../put/put-reply.js'
import type { BrokerSettings } from '../settings.js'

/** Where the answer to a commit differs from that to a send (broker-behaviour 7.2); the texts are Java's. */
const OF_COMMITS: Partial<Readonly<Record<PutStatus, { code: number; remark: string }>>> = {
  CREATE_MAPPED_FILE_FAILED: { code: ResponseCode.SYSTEM_ERROR, remark: 'Create mapped file failed.' },
  SERVICE_NOT_AVAILABLE: { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'Service not available now.' },
  OS_PAGE_CACHE_BUSY: { code: ResponseCode.SYSTEM_ERROR, remark: 'OS page cache busy, please try another machine' },
}

type Facts = Pick<
  BrokerSettings,
  'maxMessageSize' | 'timerMaxDelaySec' | 'timerWheelEnable' | 'timerCongestNumEachSlot'
>

/** What a commit is answered when its message was not stored; undefined when it was. */
export function commitRefusal(status: PutStatus, facts: Facts): ResponseError | undefined {
  const row = PUT_STATUS_REPLIES[status]
  if (row.stored) return undefined
  const own = OF_COMMITS[status]
  if (own !== undefined) return new ResponseError(own.code, own.remark)
  return new ResponseError(row.code, row.remark({ ...facts, diskReport: () => '' }) ?? status)
}
