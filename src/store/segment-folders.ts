export interface SegmentFoldersOptions {
  /** Where files are made, in turn when there are several. */
  folders: readonly string[]
  /** Where none is made, even when it is among `folders`. */
  readOnlyFolders: readonly string[]
  fileSize: number
  /** Whether a folder's disk has no room for another file. */
  isFull: (folder: string) => boolean
}

/**
 * Which folder takes the file that begins at `offset`, as the Java broker chooses: of the folders that are written to,
 * without those whose disk is nearly full, in the order of their names, number `offset / fileSize` modulo their number;
 * of all of them when every disk is nearly full. Behind it, the others, for when no file can be made there.
 */
export function foldersFor(offset: number, options: SegmentFoldersOptions): string[] {
  const { folders, readOnlyFolders, fileSize, isFull } = options
  const writable = [...new Set(folders)].filter(folder => !readOnlyFolders.includes(folder)).sort()
  if (writable.length < 2) return writable
  const full = new Set(writable.filter(isFull))
  const roomy = writable.filter(folder => !full.has(folder))
  const among = roomy.length > 0 ? roomy : writable
  const first = Math.floor(offset / fileSize) % among.length
  const chosen = [...among.slice(first), ...among.slice(0, first)]
  return [...chosen, ...writable.filter(folder => !chosen.includes(folder))]
}
