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

/** Insertions, deletions and replacements to turn one text into the other. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
