const HEX = Array.from({ length: 65536 }, (_, i) => i.toString(16).toUpperCase().padStart(4, '0'))
const TWO_16 = 65536
const TWO_32 = 4294967296

/** Makes offset message ids of one store host without a Buffer per message (wire-protocol 7.4). */
export class OffsetMessageIds {
  private readonly prefix: string

  /** @param storeHost address bytes and port, 8 or 20 bytes, as they stand in a record. */
  constructor(storeHost: Buffer) {
    this.prefix = storeHost.toString('hex').toUpperCase()
  }

  /** @param physicalOffset commit log offset of the record. */
  of(physicalOffset: number): string {
    const high = Math.floor(physicalOffset / TWO_32)
    const low = physicalOffset - high * TWO_32
    return this.prefix + HEX[high >>> 16]! + HEX[high & 0xffff]! + HEX[Math.floor(low / TWO_16)]! + HEX[low % TWO_16]!
  }

  /** The ids of a batch, joined as the send answer wants them. */
  ofAll(physicalOffsets: readonly number[], count: number): string {
    let ids = this.of(physicalOffsets[0]!)
    for (let i = 1; i < count; i++) ids += `,${this.of(physicalOffsets[i]!)}`
    return ids
  }
}
