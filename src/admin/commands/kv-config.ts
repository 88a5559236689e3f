import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const updateKvConfig = defineCommand({
  name: 'updateKvConfig',
  description: 'Set a key-value pair on all NameServers.',
  javaName: 'UpdateKvConfigCommand',
  options: {
    namespace: needed('s', 'namespace of the key'),
    key: needed('k', 'the key'),
    value: needed('v', 'its value'),
  },
  async run({ options, admin, out }) {
    const { namespace, key, value } = options
    await admin.putKv(namespace, key, value)
    out.line('create or update kv config to namespace success.')
    return { namespace, key, value }
  },
})

export const deleteKvConfig = defineCommand({
  name: 'deleteKvConfig',
  description: 'Delete a key-value pair from all NameServers.',
  javaName: 'DeleteKvConfigCommand',
  options: {
    namespace: needed('s', 'namespace of the key'),
    key: needed('k', 'the key'),
  },
  async run({ options, admin, out }) {
    const { namespace, key } = options
    if (out.tellsProblems && (await admin.kv(namespace, key)) === undefined) {
      out.problem(`there is no key ${key} in namespace ${namespace}`)
    }
    await admin.deleteKv(namespace, key)
    out.line('delete kv config from namespace success.')
    return { namespace, key }
  },
})
