/** Permission bits of a topic on a broker. */
export const Perm = {
  INHERIT: 0x1,
  WRITE: 0x2,
  READ: 0x4,
  PRIORITY: 0x8,
} as const

export const PERM_READ_WRITE = Perm.READ | Perm.WRITE

export function isReadable(perm: number): boolean {
  return (perm & Perm.READ) !== 0
}

export function isWriteable(perm: number): boolean {
  return (perm & Perm.WRITE) !== 0
}

export function isInherited(perm: number): boolean {
  return (perm & Perm.INHERIT) !== 0
}

/** Whether a configured value is accepted: 0 to 7. */
export function isValidPerm(perm: number): boolean {
  return Number.isInteger(perm) && perm >= 0 && perm < Perm.PRIORITY
}

/** `RWX` with dashes for what is missing, as Java's tools print it. */
export function permToString(perm: number): string {
  return `${isReadable(perm) ? 'R' : '-'}${isWriteable(perm) ? 'W' : '-'}${isInherited(perm) ? 'X' : '-'}`
}
