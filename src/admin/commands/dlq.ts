import { errorText } from '../../util/index.js'
import { type CommandContext, defineCommand } from '../command.js'
import { front, secondsText } from '../format.js'
import { messageId } from '../message-text.js'
import { flag, optional } from '../option-spec.js'
import { UsageError } from '../parse-options.js'
import { timestampOf, wholeNumber } from '../read-values.js'
import { type DeadLetterSelection, deadLetterData, deadLetters, deathReason, originTopic } from './dlq-letters.js'
import { listDeadLetters } from './dlq-list.js'
import { DeadLetterRedrive, type RedriveOutcome, type RedriveResult } from './dlq-redrive.js'

const DEFAULT_SHOWN = 32

const dlqOptions = {
  group: optional('g', 'consumer group whose dead letters are meant; without it the groups that have some are listed'),
  key: optional('k', 'only those with this key'),
  msgId: optional('i', 'only these ids, separated by commas'),
  topic: optional('t', 'only those consumed from this topic'),
  beginTimestamp: optional('s', 'dead since then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS'),
  endTimestamp: optional('e', 'dead until then: ms since 1970, or yyyy-MM-dd#HH:mm:ss:SSS'),
  count: optional('c', `how many at most; when they are shown ${DEFAULT_SHOWN}, when they are sent again all`),
  body: flag('d', 'show bodies and properties too'),
  redrive: flag('r', 'send them again to the topic they came from, each once'),
  all: flag(undefined, 'with --redrive: no selection, all of them are meant'),
  onlyGroup: flag(undefined, 'with --redrive: only this group gets them again, not the others of the topic'),
  dryRun: { ...flag(undefined, 'with --redrive: say what would be done, and send nothing'), long: 'dry-run' },
} as const

type Context = CommandContext<typeof dlqOptions>

/** Ours: RocketMQ leaves dead letters to be read and sent again by hand. */
export const dlq = defineCommand({
  name: 'dlq',
  description: 'List and show dead letters, and send them again.',
  javaName: 'DlqCommand',
  wrapper: 'none',
  options: dlqOptions,
  async run(context) {
    const { options } = context
    if (options.group === undefined) {
      if (options.redrive) throw new UsageError('--redrive needs -g', 'mqadmin dlq lists the groups with dead letters')
      return listDeadLetters(context)
    }
    return options.redrive ? redrive(context, options.group) : show(context, options.group)
  },
})

function selectionOf({ options, clock }: Context, count: number): DeadLetterSelection {
  const time = (text: string | undefined): number => (text === undefined ? 0 : timestampOf(text, clock.now()))
  const ids = options.msgId?.split(',').map(id => id.trim())
  return {
    key: options.key,
    ids: ids === undefined ? undefined : new Set(ids),
    topic: options.topic,
    begin: time(options.beginTimestamp),
    end: time(options.endTimestamp),
    count: wholeNumber(options.count, count),
  }
}

const SHOWN = '%-56s  %-19s  %-32s  %-7s  %-24s  %s'

async function show(context: Context, group: string) {
  const { admin, out, options } = context
  const shown: object[] = []
  out.row(SHOWN, '#Message Id', '#Dead Since', '#Topic', '#Retries', '#Keys', '#Reason')
  for await (const letter of deadLetters(admin, group, selectionOf(context, DEFAULT_SHOWN))) {
    const { properties, storeTimestamp, reconsumeTimes } = letter
    const retries = Math.max(0, reconsumeTimes - 1)
    const topic = front(originTopic(letter) ?? '-', 32)
    const keys = properties.get('KEYS') ?? '-'
    out.row(SHOWN, messageId(letter), secondsText(storeTimestamp), topic, retries, keys, deathReason(letter) ?? '-')
    if (options.body) {
      for (const [name, value] of properties) out.line(`    ${name}: ${value}`)
      out.line(`    ${letter.body.toString()}`)
    }
    shown.push(deadLetterData(letter))
  }
  if (shown.length === 0) {
    out.line('No dead letter is like that.')
    out.problem(`no dead letter of ${group} is like that`)
  }
  return shown
}

const REDRIVEN = '%-56s  %-8s  %s'
const selectors = ['key', 'msgId', 'topic', 'beginTimestamp', 'endTimestamp', 'count'] as const

async function redrive(context: Context, group: string) {
  const { admin, out, options } = context
  if (!options.all && selectors.every(name => options[name] === undefined)) {
    throw new UsageError('--redrive needs a selection', 'give -k, -i, -t, -s, -e or -c; --all takes every dead letter')
  }
  const { dryRun: isDryRun, onlyGroup: isOnlyGroup } = options
  const work = new DeadLetterRedrive(admin, { group, isDryRun, isOnlyGroup })
  const results: RedriveResult[] = []
  out.row(REDRIVEN, '#Message Id', '#Outcome', '#Copy')
  let isCutOff = false
  try {
    for await (const letter of deadLetters(admin, group, selectionOf(context, Number.MAX_SAFE_INTEGER))) {
      const result = await work.redrive(letter)
      results.push(result)
      const { msgId, outcome, detail, copyId, topic } = result
      out.row(REDRIVEN, msgId, outcome, detail ?? `${topic} ${copyId ?? ''}`.trim())
      if (outcome === 'refused' || outcome === 'unknown') out.problem(`${msgId}: ${outcome}: ${detail}`)
      // nobody answers: the others would only wait for it one after the other
      isCutOff = outcome === 'unknown'
      if (isCutOff) break
    }
  } catch (error) {
    // what was done so far is told all the same
    if (results.length === 0) throw error
    isCutOff = true
    out.failure(errorText(error))
  }
  const counts = countsOf(results)
  out.line()
  out.line(
    Object.entries(counts)
      .map(([outcome, count]) => `${outcome}: ${count}`)
      .join(', ') || 'nothing to do',
  )
  if (isCutOff) out.line('Stopped. Run it again: what was sent is found, and not sent twice.')
  return { group, dryRun: isDryRun, isCutOff, counts, results }
}

function countsOf(results: readonly RedriveResult[]): Partial<Record<RedriveOutcome, number>> {
  const counts: Partial<Record<RedriveOutcome, number>> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
