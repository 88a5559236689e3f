import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const updateNamesrvConfig = defineCommand({
  name: 'updateNamesrvConfig',
  description: 'Change one setting of running NameServers.',
  javaName: 'UpdateNamesrvConfigCommand',
  options: {
    key: needed('k', 'name of the setting'),
    value: needed('v', 'its new value'),
  },
  async run({ options, admin, out, namesrvAddr }) {
    const { key, value } = options
    for (const address of namesrvAddr) {
      if (out.tellsProblems && !(await admin.namesrvConfig(address)).has(key)) {
        out.problem(`NameServer ${address} knows no setting ${key}`)
      }
      await admin.updateNamesrvConfig(address, new Map([[key, value]]))
    }
    out.line(`update name server config success!${`[${namesrvAddr.join(', ')}]`}`)
    out.line(`${key} : ${value}`)
    return { nameServers: namesrvAddr, key, value }
  },
})
