import { MQClientError } from '../../client/index.js'
import { ResponseCode } from '../../common/index.js'
import { defineCommand, USAGE } from '../command.js'
import { needed, optional } from '../option-spec.js'

const NAMESPACE = 'ORDER_TOPIC_CONFIG'

export const updateOrderConf = defineCommand({
  name: 'updateOrderConf',
  description: 'Show, set or delete the brokers and queues of an ordered topic.',
  javaName: 'UpdateOrderConfCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    orderConf: optional('v', 'brokers and their queues, e.g. broker-a:4;broker-b:4'),
    method: needed('m', 'get, put or delete'),
  },
  async run({ options, admin, out }) {
    const { topic, orderConf, method } = options
    if (method === 'get') {
      const found = await admin.kv(NAMESPACE, topic)
      if (found === undefined) {
        const remark = `No config item, Namespace: ${NAMESPACE} Key: ${topic}`
        throw new MQClientError('ERR_CLIENT_RESPONSE', remark, { responseCode: ResponseCode.QUERY_NOT_FOUND, remark })
      }
      out.text(`get orderConf success. topic=[${topic}], orderConf=[${found}] `)
      return { topic, orderConf: found }
    }
    if (method === 'put') {
      if (orderConf === undefined || orderConf === '')
        throw new MQClientError('ERR_CLIENT_ARGUMENT', 'please set orderConf with option -v.')
      await admin.putKv(NAMESPACE, topic, orderConf)
      out.text(`update orderConf success. topic=[${topic}], orderConf=[${orderConf}]`)
      return { topic, orderConf }
    }
    if (method !== 'delete') return USAGE
    await admin.deleteKv(NAMESPACE, topic)
    out.text(`delete orderConf success. topic=[${topic}]`)
    return { topic }
  },
})
