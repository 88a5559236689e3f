import { parseFastJson, RequestCode, readArray, readNumber, readObject, readString } from '../../common/index.js'
import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const producer = defineCommand({
  name: 'producer',
  description: 'Show all producers of a broker.',
  javaName: 'ProducerSubCommand',
  options: { broker: needed('b', 'address of the broker') },
  async run({ options, admin, out }) {
    const { body } = await admin.invokeBroker(options.broker, RequestCode.GET_ALL_PRODUCER_INFO)
    const result = new Map<string, object[]>()
    for (const [group, list] of Object.entries(readObject(readObject(parseFastJson(body)).data))) {
      const instances = readArray(list).map(item => {
        const instance = readObject(item)
        return {
          clientId: readString(instance.clientId, ''),
          remoteIP: readString(instance.remoteIP, ''),
          language: readString(instance.language, ''),
          version: readNumber(instance.version, 0),
          lastUpdateTimestamp: readNumber(instance.lastUpdateTimestamp, 0),
        }
      })
      result.set(group, instances)
      if (instances.length === 0) out.line(`producer group (${group}) instances are empty`)
      for (const { clientId, remoteIP, language, version, lastUpdateTimestamp } of instances) {
        out.line(
          `producer group (${group}) instance : clientId=${clientId},remoteIP=${remoteIP}, language=${language}, ` +
            `version=${version}, lastUpdateTimestamp=${lastUpdateTimestamp}`,
        )
      }
    }
    return result
  },
})
