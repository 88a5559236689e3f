import { RequestCode, ResponseCode, ResponseError } from '../../common/index.js'
import {
  DeleteKVConfigRequestHeader,
  fail,
  GetKVConfigRequestHeader,
  GetKVConfigResponseHeader,
  GetKVListByNamespaceRequestHeader,
  ok,
  okWith,
  PutKVConfigRequestHeader,
  type Reply,
  type Route,
  route,
} from '../../remoting/index.js'
import { errorText } from '../../util/index.js'
import type { NamesrvContext } from '../context.js'
import { orNoFields, toJsonBody } from '../request-body.js'

type Context = Pick<NamesrvContext, 'kvConfig' | 'logger'>

interface Change {
  event: string
  namespace: string
  key: string
  remote: string
}

/** Answers once a change is on disk. */
async function saved({ logger }: Context, change: Promise<void>, fields: Change): Promise<Reply> {
  const what = `${fields.event}: ${fields.namespace} / ${fields.key}`
  try {
    await change
  } catch (error) {
    logger.error({ ...fields, err: error }, `${what} failed: ${errorText(error)}`)
    throw new ResponseError(ResponseCode.SYSTEM_ERROR, errorText(error), { cause: error })
  }
  logger.info({ ...fields }, what)
  return ok()
}

/** Code 100. */
export const putKVConfig = (namesrv: Context): Route =>
  route({
    code: RequestCode.PUT_KV_CONFIG,
    request: PutKVConfigRequestHeader,
    lane: 'admin',
    action: 'UPDATE',
    handle({ namespace, key, value }, _command, { peer }) {
      const fields = { event: 'kv-config-put', namespace, key, remote: peer.text }
      return saved(namesrv, namesrv.kvConfig.put(namespace, key, value), fields)
    },
  })

/** Code 101. */
export const getKVConfig = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_KV_CONFIG,
    request: GetKVConfigRequestHeader,
    lane: 'admin',
    action: 'GET',
    handle({ namespace, key }) {
      const value = namesrv.kvConfig.get(namespace, key)
      if (value !== undefined) return okWith(GetKVConfigResponseHeader, { value })
      return fail(ResponseCode.QUERY_NOT_FOUND, `No config item, Namespace: ${namespace} Key: ${key}`)
    },
  })

/** Code 102: deleting what is not there is a success. */
export const deleteKVConfig = (namesrv: Context): Route =>
  route({
    code: RequestCode.DELETE_KV_CONFIG,
    request: orNoFields(DeleteKVConfigRequestHeader),
    lane: 'admin',
    action: 'DELETE',
    handle(header, _command, { peer }) {
      if (header === undefined) return ok()
      const { namespace, key } = header
      const fields = { event: 'kv-config-deleted', namespace, key, remote: peer.text }
      return saved(namesrv, namesrv.kvConfig.delete(namespace, key), fields)
    },
  })

/** Code 219: a namespace that lost its keys is there, empty. */
export const getKVListByNamespace = (namesrv: Context): Route =>
  route({
    code: RequestCode.GET_KVLIST_BY_NAMESPACE,
    request: GetKVListByNamespaceRequestHeader,
    lane: 'admin',
    action: 'LIST',
    handle({ namespace }) {
      const table = namesrv.kvConfig.namespace(namespace)
      if (table !== undefined) return ok(toJsonBody({ table }))
      return fail(ResponseCode.QUERY_NOT_FOUND, `No config item, Namespace: ${namespace}`)
    },
  })
