/** Takes bytes for sending; ranges, so that nobody has to make a Buffer for each. */
export interface ByteSink {
  /** The bytes `[start, end)` of `bytes`. */
  writeRange(bytes: Buffer, start: number, end: number): void
}

/** Bytes that lie in pieces here and there, and are sent without being put together first. */
export interface ByteSource {
  readonly totalBytes: number
  /** Gives all of them, {@link totalBytes} in all, to `sink`, in their order. */
  writeTo(sink: ByteSink): void
}

/** The bytes of `pieces`, one after the other. */
export function inPieces(pieces: readonly Buffer[]): ByteSource {
  return {
    totalBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    writeTo: sink => {
      for (const piece of pieces) sink.writeRange(piece, 0, piece.length)
    },
  }
}
