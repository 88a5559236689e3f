import { editDistance } from '../util/index.js'

/**
 * The known key that an unknown one was probably meant to be: equal but for case, or a few edits away (a quarter of its
 * length, at most 4). Undefined when none is near.
 */
export function nearestKey(unknown: string, known: Iterable<string>): string | undefined {
  const wanted = unknown.toLowerCase()
  let nearest: string | undefined
  let best = Math.min(4, Math.max(1, Math.floor(unknown.length / 4))) + 1
  for (const key of known) {
    if (Math.abs(key.length - wanted.length) >= best) continue
    const distance = editDistance(wanted, key.toLowerCase())
    if (distance < best) {
      best = distance
      nearest = key
    }
  }
  return nearest
}
