import { PropertyName } from '../../common/index.js'

const NAME_END = '\u0001'
const VALUE_END = '\u0002'

/** What a property means to the send path. */
const Meaning = { TAGS: 1, KEYS: 2, UNIQ_KEY: 3, WAIT: 4, REWRITTEN: 5, SPECIAL: 6 } as const

const MEANINGS = new Map<string, number>([
  [PropertyName.TAGS, Meaning.TAGS],
  [PropertyName.KEYS, Meaning.KEYS],
  [PropertyName.UNIQ_KEY, Meaning.UNIQ_KEY],
  [PropertyName.WAIT, Meaning.WAIT],
  // the broker writes its own value, or drops the client's (broker-behaviour 2.2)
  [PropertyName.MSG_REGION, Meaning.REWRITTEN],
  [PropertyName.TRACE_ON, Meaning.REWRITTEN],
  [PropertyName.CLUSTER, Meaning.REWRITTEN],
  [PropertyName.POP_CK, Meaning.REWRITTEN],
  [PropertyName.CRC32, Meaning.REWRITTEN],
  // something beside storing has to happen with such a message
  [PropertyName.DELAY, Meaning.SPECIAL],
  [PropertyName.TIMER_DELAY_SEC, Meaning.SPECIAL],
  [PropertyName.TIMER_DELAY_MS, Meaning.SPECIAL],
  [PropertyName.TIMER_DELIVER_MS, Meaning.SPECIAL],
  [PropertyName.TIMER_DEL_UNIQKEY, Meaning.SPECIAL],
  [PropertyName.TRANSACTION_PREPARED, Meaning.SPECIAL],
  [PropertyName.INNER_MULTI_DISPATCH, Meaning.SPECIAL],
  [PropertyName.INNER_NUM, Meaning.SPECIAL],
])

/** Whether a property makes a message special: the rules of `MessagePutter` look at it. */
export function isSpecialProperty(name: string): boolean {
  return MEANINGS.get(name) === Meaning.SPECIAL
}

/**
 * The properties text of a message on its way into the store, read in one pass. Most messages carry nothing that needs
 * more than that; those that do are `special` and are looked at as a map.
 */
export class SendProperties {
  /** The text as it will be stored: what the client sent, then what the broker adds. */
  text = ''
  tags: string | undefined
  keys: string | undefined
  uniqKey: string | undefined
  /** Property WAIT: whether the answer waits for flush and replication. */
  waitStoreMsgOk = true
  /** A delay, timer, transaction or batch property is there. */
  special = false

  /**
   * @param sent properties of the send header.
   * @param added what the broker adds, encoded, without UNIQ_KEY.
   * @param newUniqKey makes the unique key of a message whose client gave none.
   */
  read(sent: string | undefined, added: string, newUniqKey: () => string): void {
    this.tags = this.keys = this.uniqKey = undefined
    this.waitStoreMsgOk = true
    this.special = false
    const kept = sent === undefined ? '' : this.scan(sent)
    if (this.uniqKey === undefined) {
      this.uniqKey = newUniqKey()
      this.text = `${kept}${PropertyName.UNIQ_KEY}${NAME_END}${this.uniqKey}${VALUE_END}${added}`
    } else {
      this.text = kept + added
    }
  }

  /** Notes what matters; the text without the properties that the broker writes itself, ending in a separator. */
  private scan(sent: string): string {
    let kept = ''
    let keptFrom = 0
    let at = 0
    while (at < sent.length) {
      let end = sent.indexOf(VALUE_END, at)
      if (end < 0) end = sent.length
      const nameEnd = sent.indexOf(NAME_END, at)
      if (nameEnd > at && nameEnd + 1 < end) {
        const meaning = MEANINGS.get(sent.slice(at, nameEnd))
        if (meaning === Meaning.REWRITTEN) {
          kept += sent.slice(keptFrom, at)
          keptFrom = end + 1
        } else if (meaning !== undefined) {
          this.note(meaning, sent.slice(nameEnd + 1, end))
        }
      }
      at = end + 1
    }
    if (keptFrom > 0) kept += sent.slice(keptFrom)
    else kept = sent
    return kept === '' || kept.endsWith(VALUE_END) ? kept : kept + VALUE_END
  }

  private note(meaning: number, value: string): void {
    if (meaning === Meaning.UNIQ_KEY) this.uniqKey = value
    else if (meaning === Meaning.TAGS) this.tags = value
    else if (meaning === Meaning.KEYS) this.keys = value
    else if (meaning === Meaning.WAIT) this.waitStoreMsgOk = value.toLowerCase() === 'true'
    else this.special = true
  }
}

/** Encodes one property as it stands in the text. */
export function encodeProperty(name: string, value: string): string {
  return `${name}${NAME_END}${value}${VALUE_END}`
}
