import { decodeOffsetMessageId, RequestCode, ResponseCode } from '../../common/index.js'
import { fail, ok, ResumeCheckHalfMessageRequestHeader, type Route, route } from '../../remoting/index.js'
import { errorText } from '../../util/index.js'
import type { TransactionalMessageService } from '../transaction/transactional-message-service.js'

/** RESUME_CHECK_HALF_MESSAGE (323): has a transaction that was given up checked again, from the first check on. */
export function resumeCheckHalfMessageRoute(transactions: Pick<TransactionalMessageService, 'resume'>): Route {
  return route({
    code: RequestCode.RESUME_CHECK_HALF_MESSAGE,
    request: ResumeCheckHalfMessageRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(header) {
      let commitLogOffset: number
      try {
        commitLogOffset = decodeOffsetMessageId(header.msgId ?? '').commitLogOffset
      } catch (error) {
        return fail(
          ResponseCode.SYSTEM_ERROR,
          `Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC. ${errorText(error)}`,
        )
      }
      await transactions.resume(commitLogOffset)
      return ok()
    },
  })
}
