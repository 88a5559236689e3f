const MASK = 0xffff_ffff_ffff_ffffn
const C1 = 0x87c3_7b91_1142_53d5n
const C2 = 0x4cf5_ad43_2745_937fn

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

function mix(value: bigint): bigint {
  value = ((value ^ (value >> 33n)) * 0xff51_afd7_ed55_8ccdn) & MASK
  value = ((value ^ (value >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & MASK
  return value ^ (value >> 33n)
}

/** First 64 bits of MurmurHash3 x64 128 with seed 0. BigInt: for a few hashes per subscription, not per message. */
export function murmur3(bytes: Buffer): bigint {
  let h1 = 0n
  let h2 = 0n
  const whole = bytes.length - (bytes.length % 16)
  for (let at = 0; at < whole; at += 16) {
    h1 ^= (rotate((bytes.readBigUInt64LE(at) * C1) & MASK, 31n) * C2) & MASK
    h1 = ((rotate(h1, 27n) + h2) * 5n + 0x52dce729n) & MASK
    h2 ^= (rotate((bytes.readBigUInt64LE(at + 8) * C2) & MASK, 33n) * C1) & MASK
    h2 = ((rotate(h2, 31n) + h1) * 5n + 0x38495ab5n) & MASK
  }
  const tail = Buffer.alloc(16)
  bytes.copy(tail, 0, whole)
  h2 ^= (rotate((tail.readBigUInt64LE(8) * C2) & MASK, 33n) * C1) & MASK
  h1 ^= (rotate((tail.readBigUInt64LE(0) * C1) & MASK, 31n) * C2) & MASK
  h1 ^= BigInt(bytes.length)
  h2 ^= BigInt(bytes.length)
  h1 = (h1 + h2) & MASK
  h2 = (h2 + h1) & MASK
  h1 = mix(h1)
  h2 = mix(h2)
  return (h1 + h2) & MASK
}
