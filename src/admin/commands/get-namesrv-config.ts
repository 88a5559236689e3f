import { defineCommand } from '../command.js'

export const getNamesrvConfig = defineCommand({
  name: 'getNamesrvConfig',
  description: 'Show the configuration of the NameServers.',
  javaName: 'GetNamesrvConfigCommand',
  options: {},
  async run({ admin, out, namesrvAddr }) {
    const result = new Map<string, ReadonlyMap<string, string>>()
    for (const address of namesrvAddr) {
      const config = await admin.namesrvConfig(address)
      result.set(address, config)
      out.line(`============${address}============`)
      for (const [key, value] of config) out.row('%-50s=  %s', key, value)
    }
    return result
  },
})
