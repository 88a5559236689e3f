const TWO_32 = 4_294_967_296

/** Writes an integer within +-2^53 as i64 through a view (a Buffer's setters take several times as long). */
export function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / TWO_32))
  view.setInt32(at + 4, value | 0)
}

/** Reads an i64 as a number; exact within +-2^53. */
export function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * TWO_32 + view.getUint32(at + 4)
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
