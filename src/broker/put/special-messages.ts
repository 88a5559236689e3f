import type { MessageToStore, PutStatus } from '../../store/index.js'

/**
 * What happens, beside storing, with a message that carries delay, timer, transaction or multi-dispatch properties: its
 * topic, queue, flags and properties are rewritten in place before it is appended.
 * @returns undefined to go on, or the status the message is refused with.
 * @throws ResponseError to refuse it with words of its own.
 */
export type SpecialMessageRule = (message: MessageToStore) => PutStatus | undefined

/** Told of a special message as it was stored, after the rules have rewritten it. */
export type StoredListener = (message: MessageToStore) => void
