/**
 * Versions travel as ordinals of a Java enum in which each release contributes `Vx_y_z_SNAPSHOT`, then `Vx_y_z`
 * (wire-protocol 2.4). The first release is irregular; the 3.x series differ in where they start and end.
 */
function buildNames(): readonly string[] {
  const names = ['V3_0_0_SNAPSHOT', 'V3_0_0_ALPHA1']
  for (const beta of [1, 2, 3, 4, 5]) names.push(`V3_0_0_BETA${beta}`)
  for (const beta of [6, 7, 8, 9]) names.push(`V3_0_0_BETA${beta}_SNAPSHOT`, `V3_0_0_BETA${beta}`)
  names.push('V3_0_0_FINAL')
  const add = (series: string, first: number, last: number): void => {
    for (let z = first; z <= last; z++) names.push(`V${series}_${z}_SNAPSHOT`, `V${series}_${z}`)
  }
  add('3_0', 1, 15)
  add('3_1', 0, 9)
  add('3_2', 0, 9)
  for (let minor = 3; minor <= 9; minor++) add(`3_${minor}`, 1, 9)
  for (let minor = 0; minor <= 9; minor++) add(`4_${minor}`, 0, 9)
  for (let minor = 0; minor <= 9; minor++) add(`5_${minor}`, 0, 9)
  names.push('HIGHER_VERSION')
  return names
}

const names = buildNames()

/** The version this program announces in every command: V5_3_3. */
export const CURRENT_VERSION = 479

/** Versions at which a decision changes, as the ordinals that peers send. */
export const VersionMark = {
  /** Below it a client is not sent 220 and 221. */
  V3_0_7_SNAPSHOT: 28,
  /** From it on the body of REGISTER_BROKER is a RegisterBrokerBody. */
  V3_0_11: 37,
  /** Below it 307 and 309 are not relayed to a client. */
  V3_1_8_SNAPSHOT: 62,
  /** From it on a client's own limit of retries counts. */
  V3_4_9: 121,
  /** From it on Java clients allow SQL92 subscriptions on pull. */
  V4_1_0_SNAPSHOT: 232,
  /** From it on routes are answered with quoted map keys. */
  V4_9_4: 401,
  /** From it on a compressed REGISTER_BROKER body has the static-topic section. */
  V5_0_0: 413,
  /** Above it a client understands GO_AWAY. */
  V5_3_1: 475,
} as const

/** The Java name of a version ordinal, e.g. 479: `V5_3_3`. Beyond the table: `HIGHER_VERSION`. */
export function versionName(ordinal: number): string {
  return names[Math.max(0, Math.trunc(ordinal))] ?? 'HIGHER_VERSION'
}

/** The ordinal of a Java version name, or undefined. */
export function versionOrdinal(name: string): number | undefined {
  const ordinal = names.indexOf(name)
  return ordinal < 0 ? undefined : ordinal
}
