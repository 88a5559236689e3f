import { MQClientError } from '../../client/index.js'
import { versionName } from '../../common/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

const ROW = '%04d  %-32s %-22s %-8s %s'

export const producerConnection = defineCommand({
  name: 'producerConnection',
  description: 'Show the connections of a producer group.',
  javaName: 'ProducerConnectionSubCommand',
  options: {
    producerGroup: needed('g', 'name of the producer group'),
    topic: needed('t', 'a topic it sends to, whose brokers are asked'),
  },
  async run({ options, admin, out }) {
    const { producerGroup, topic } = options
    const [broker] = routeAddresses(await admin.topicRoute(topic))
    if (broker === undefined) throw new MQClientError('ERR_CLIENT_NO_ROUTE', `no broker of topic ${topic} is up`)
    const connections = await admin.producerConnection(broker.address, producerGroup)
    connections.forEach(({ clientId, clientAddr, language, version }, i) => {
      out.row(ROW, i + 1, clientId, clientAddr, language, versionName(version))
    })
    return connections
  },
})
