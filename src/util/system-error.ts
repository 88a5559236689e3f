/** What to do about errors of the system that a start can meet. */
const ADVICE: Readonly<Record<string, () => string>> = {
  EACCES: () => `give this user (uid ${process.getuid?.() ?? '?'}) access to it, or choose another place`,
  EPERM: () => `give this user (uid ${process.getuid?.() ?? '?'}) access to it, or choose another place`,
  EEXIST: () => 'a folder is wanted where there is a file: remove the file, or choose another place',
  ENOTDIR: () => 'a folder is wanted where there is a file: remove the file, or choose another place',
  ENOENT: () => 'there can be no such folder: choose another place',
  EROFS: () => 'the file system is mounted for reading only: choose another place',
  ENOSPC: () => 'the disk is full: make room, or choose another place',
  EDQUOT: () => "this user's share of the disk is used up: make room, or choose another place",
  EMFILE: () => 'too many files are open: raise the limit (ulimit -n, or LimitNOFILE of systemd)',
  ENFILE: () => 'too many files are open in the whole system: raise fs.file-max',
}

/** The text of an error of the system with what to do about it; undefined for any other, or where nothing is known. */
export function systemErrorText(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined || !Object.hasOwn(ADVICE, code)) return undefined
  return `${error.message}: ${ADVICE[code]!()}`
}
