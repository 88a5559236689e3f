import { RequestCode, ResponseCode, ResponseError } from '../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../remoting/index.js'
import { MQError } from '../../util/index.js'
import type { NamesrvContext } from '../context.js'

type Context = Pick<NamesrvContext, 'settings' | 'logger'>

/** Codes of the errors of an update that are not a plain SYSTEM_ERROR. */
const updateErrorCodes: Readonly<Record<string, number>> = { ERR_SETTING_BLOCKED: ResponseCode.NO_PERMISSION }

/** Code 318: changes settings and writes them back to their file. All or nothing; unknown keys are left aside. */
export const updateNamesrvConfig = (namesrv: Context): Route =>
  route({
    code: RequestCode.UPDATE_NAMESRV_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'UPDATE',
    async handle(_header, command, { peer }) {
      if (command.body.length === 0) return ok()
      try {
        const { text } = await namesrv.settings.update(command.body.toString('utf8'))
        namesrv.logger.info(
          { event: 'settings-updated', remote: peer.text },
          `settings changed by ${peer.text}: ${text}`,
        )
        return ok()
      } catch (error) {
        if (!(error instanceof MQError)) throw error
        const fields = { event: 'settings-update-refused', remote: peer.text, err: error.message }
        namesrv.logger.warn(fields, `${peer.text} could not change settings: ${error.message}`)
        const code = updateErrorCodes[error.code] ?? ResponseCode.SYSTEM_ERROR
        throw new ResponseError(code, error.message, { cause: error })
      }
    },
  })

/** Code 319. */
export const getNamesrvConfig = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_NAMESRV_CONFIG,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    handle: () => ok(Buffer.from(namesrv.settings.asProperties())),
  })
