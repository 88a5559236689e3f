import { errorText } from '../../util/index.js'
import { type CommandContext, defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

const permOptions = { brokerName: needed('b', 'name of the broker') } as const

export const wipeWritePerm = defineCommand({
  name: 'wipeWritePerm',
  description: 'Take the write permission of a broker away on all NameServers given with -n.',
  javaName: 'WipeWritePermSubCommand',
  options: permOptions,
  run: context =>
    onEachNamesrv(context, 'wipe', (address, brokerName) => context.admin.wipeWritePerm(address, brokerName)),
})

export const addWritePerm = defineCommand({
  name: 'addWritePerm',
  description: 'Give the write permission of a broker back on all NameServers given with -n.',
  javaName: 'AddWritePermSubCommand',
  options: permOptions,
  run: context =>
    onEachNamesrv(context, 'add', (address, brokerName) => context.admin.addWritePerm(address, brokerName)),
})

async function onEachNamesrv(
  { options, out, namesrvAddr }: CommandContext<typeof permOptions>,
  verb: string,
  change: (address: string, brokerName: string) => Promise<number>,
): Promise<object[]> {
  const result: object[] = []
  for (const address of namesrvAddr) {
    const what = `${verb} write perm of broker[${options.brokerName}] in name server[${address}]`
    try {
      const topics = await change(address, options.brokerName)
      out.line(`${what} OK, ${topics}`)
      if (topics === 0) out.problem(`no topic of broker ${options.brokerName} was changed in NameServer ${address}`)
      result.push({ nameServer: address, topics })
    } catch (error) {
      out.line(`${what} Failed`)
      out.failure(errorText(error))
    }
  }
  return result
}
