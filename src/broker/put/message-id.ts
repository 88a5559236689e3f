const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase().padStart(2, '0'))
const TWO_16 = 65536

/** Makes offset message ids of one store host without a Buffer per message (wire-protocol 7.4). */
export class OffsetMessageIds {
  private readonly storeHost: string
  /** Store host and the upper 48 bits of the last offset: the same for all records of 64 KiB of the log. */
  private prefix = ''
  private prefixOf = -1

  /** @param storeHost address bytes and port, 8 or 20 bytes, as they stand in a record. */
  constructor(storeHost: Buffer) {
    this.storeHost = storeHost.toString('hex').toUpperCase()
  }

  /** @param physicalOffset commit log offset of the record. */
  of(physicalOffset: number): string {
    const upper = Math.floor(physicalOffset / TWO_16)
    const lower = physicalOffset - upper * TWO_16
    if (upper !== this.prefixOf) {
      this.prefixOf = upper
      this.prefix = this.storeHost + upper.toString(16).toUpperCase().padStart(12, '0')
    }
    return this.prefix + HEX[lower >>> 8]! + HEX[lower & 0xff]!
  }

  /** The ids of a batch, joined as the send answer wants them. */
  ofAll(physicalOffsets: readonly number[], count: number): string {
    let ids = this.of(physicalOffsets[0]!)
    for (let i = 1; i < count; i++) ids += `,${this.of(physicalOffsets[i]!)}`
    return ids
  }
}
