/** Java's `String.hashCode`: h = 31*h + UTF-16 unit, wrapped to int32. */
export function javaHash(text: string): number {
  let h = 0
  for (let i = 0; i < text.length; i++) h = (Math.imul(31, h) + text.charCodeAt(i)) | 0
  return h
}

/** {@link javaHash} of bytes that are ASCII, without making a string. */
export function javaHashOfAscii(bytes: Uint8Array, from: number, to: number): number {
  let h = 0
  for (let i = from; i < to; i++) h = (Math.imul(31, h) + bytes[i]!) | 0
  return h
}
