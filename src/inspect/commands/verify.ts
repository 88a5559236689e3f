import { defineInspectCommand, InspectExit, openStore, STORE_ARGUMENT } from '../command.js'
import { hashSlotsOption, toCount } from '../option-values.js'
import { bytesText, type Output } from '../output.js'
import { DEFAULT_DELAY_LEVELS } from '../record-facts.js'
import type { AffectedMessage, Damage } from '../verify/damage.js'
import { Verifier, type VerifyResult } from '../verify/verifier.js'

interface VerifyCommandOptions {
  limit: number
  messageDelayLevel: string
  hashSlots?: number
}

const MESSAGES_SHOWN = 10

export const verifyCommand = defineInspectCommand<VerifyCommandOptions>({
  name: 'verify',
  description: 'Reads everything once and compares it: records, queue entries, index items. Exits with 1 on damage.',
  arguments: [STORE_ARGUMENT],
  options: [
    { flags: '--limit <number>', description: 'damages told in detail', parse: toCount, fallback: 1000 },
    {
      flags: '--message-delay-level <levels>',
      description: 'messageDelayLevel of the broker',
      fallback: DEFAULT_DELAY_LEVELS,
    },
    hashSlotsOption,
  ],
  async run({ out, progress }, [root], options) {
    const directory = openStore(root!, options)
    const { limit, messageDelayLevel, hashSlots } = options
    progress.start(
      'verifying',
      directory.log.reduce((sum, { length }) => sum + length, 0),
    )
    const onProgress = progress.advance
    const result = await new Verifier({ directory, limit, messageDelayLevel, hashSlots, onProgress }).run()
    progress.end()
    await out.json({ store: directory.root, isSound: result.damageCount === 0, ...result })
    await print(out, result)
    return result.damageCount === 0 ? InspectExit.ok : InspectExit.found
  },
})

async function print(out: Output, result: VerifyResult): Promise<void> {
  const { records, bytes, queueEntries, indexItems, damages, damageCount, notes } = result
  for (const damage of damages) await printDamage(out, damage)
  if (damageCount > damages.length) await out.line(`... and ${damageCount - damages.length} more; see --limit`)
  for (const note of notes) await out.line(`note: ${note}`)
  await out.line(
    `${records} records (${bytesText(bytes)}), ${queueEntries} queue entries and ${indexItems} index items read: ` +
      (damageCount === 0 ? 'no damage' : `${damageCount} damaged`),
  )
}

async function printDamage(out: Output, damage: Damage): Promise<void> {
  const { file, position, problem, effect, messages, messageCount } = damage
  await out.line(`${file} @${position}: ${problem}`)
  await out.line(`    ${effect}`)
  for (const message of messages.slice(0, MESSAGES_SHOWN)) await out.line(`    ${messageText(message)}`)
  const shown = Math.min(messages.length, MESSAGES_SHOWN)
  if (messageCount > shown) await out.line(`    and ${messageCount - shown} more messages`)
}

function messageText({ topic, queueId, queueOffset, physicalOffset, uniqKey }: AffectedMessage): string {
  const at = physicalOffset === undefined ? '' : `, record at ${physicalOffset}`
  const key = uniqKey === undefined || uniqKey === '' ? '' : `, ${uniqKey}`
  return `message ${queueOffset} of ${topic}-${queueId}${at}${key}`
}
