import { readProperty } from '../message/property-bytes.js'

/**
 * Looks properties up in the bytes of one record after the other, without parsing them all. Names become bytes once.
 */
export class RecordProperties {
  private bytes: Buffer = Buffer.alloc(0)
  private from = 0
  private to = 0
  private readonly names = new Map<string, Buffer>()

  /** Turns to the properties string in `bytes[from, to)`. */
  of(bytes: Buffer, from = 0, to = bytes.length): this {
    this.bytes = bytes
    this.from = from
    this.to = to
    return this
  }

  /** For filters: the value of a property of the present record. */
  readonly get = (name: string): string | undefined => {
    let bytes = this.names.get(name)
    if (bytes === undefined) {
      bytes = Buffer.from(name)
      this.names.set(name, bytes)
    }
    return readProperty(this.bytes, bytes, this.from, this.to)
  }
}
