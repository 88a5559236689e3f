const TWO_32 = 4_294_967_296
const SIGN = 0x8000_0000

/**
 * Where a unit's extension lies (stream offset) when the i64 at `at` is the address of one, else -1: addresses are
 * `-2^63 + offset`, far below every hash of a tag (store-format 5.5).
 */
export function extOffsetAt(view: DataView, at: number): number {
  const high = view.getInt32(at)
  return high < -1 ? (high & 0x7fff_ffff) * TWO_32 + view.getUint32(at + 4) : -1
}

/** Writes the address of the extension at `offset`. */
export function setExtAddress(view: DataView, at: number, offset: number): void {
  view.setInt32(at, Math.floor(offset / TWO_32) | SIGN)
  view.setInt32(at + 4, offset | 0)
}
