/** A message that damage touches, as far as it is known. */
export interface AffectedMessage {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly physicalOffset?: number
  readonly uniqKey?: string
}

export type DamagedPart =
  | 'commitlog'
  | 'consumequeue'
  | 'consumequeue_ext'
  | 'batchconsumequeue'
  | 'index'
  | 'checkpoint'
  | 'config'

export interface Damage {
  readonly part: DamagedPart
  readonly file: string
  /** First damaged byte in the file, or of what holds it. */
  readonly position: number
  /** Behind the damaged bytes, where that is known. */
  readonly end?: number
  readonly problem: string
  /** What brokers and consumers notice of it. */
  readonly effect: string
  /** The first of them; {@link messageCount} says how many there are. */
  readonly messages: AffectedMessage[]
  messageCount: number
}

export interface DamageText extends Pick<Damage, 'part' | 'file' | 'position' | 'problem' | 'effect'> {
  readonly end?: number
}

const MESSAGES_KEPT = 100

/** What is wrong with a store: the first of it in detail, all of it counted. */
export class DamageReport {
  readonly damages: Damage[] = []
  /** More damages than {@link damages} has room for are only counted. */
  count = 0
  /** What is worth knowing and no damage. */
  readonly notes: string[] = []

  constructor(private readonly limit: number) {}

  add(text: DamageText, ...messages: AffectedMessage[]): Damage {
    const damage: Damage = { ...text, messages, messageCount: messages.length }
    this.count++
    if (this.damages.length < this.limit) this.damages.push(damage)
    return damage
  }

  note(text: string): void {
    this.notes.push(text)
  }
}

export function addAffected(damage: Damage, message: AffectedMessage): void {
  const isKnown = damage.messages.some(
    one => one.topic === message.topic && one.queueId === message.queueId && one.queueOffset === message.queueOffset,
  )
  if (isKnown) return
  damage.messageCount++
  if (damage.messages.length < MESSAGES_KEPT) damage.messages.push(message)
}
