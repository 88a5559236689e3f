/** Numbers as Java reads them from text: undefined stands for NumberFormatException. */

const INT_MAX = 2_147_483_647
const INT_MIN = -2_147_483_648
const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

const integerText = /^[+-]?\d+$/
const decimalText = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/
const hexFloatText = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/

/** `Integer.valueOf`. */
export function parseJavaInt(text: string): number | undefined {
  if (!integerText.test(text)) return undefined
  const value = Number(text)
  // + 0 because "-0" is the integer 0
  return value >= INT_MIN && value <= INT_MAX ? value + 0 : undefined
}

/** `Long.valueOf`. */
export function parseJavaLong(text: string): bigint | undefined {
  if (!integerText.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= LONG_MIN && value <= LONG_MAX ? value : undefined
}

/** `Double.valueOf`: blanks around, `NaN`, `Infinity`, type suffixes and hexadecimal forms included. */
export function parseJavaDouble(text: string): number | undefined {
  const trimmed = trimControls(text)
  if (decimalText.test(trimmed)) return Number(trimmed.endsWith('y') ? trimmed : trimmed.replace(/[fFdD]$/, ''))
  const hex = hexFloatText.exec(trimmed)
  if (hex === null) return undefined
  const [, sign, whole = '', fraction = '', exponent] = hex
  if (whole === '' && fraction === '') return undefined
  const digits = Number.parseInt(`${whole}${fraction}`, 16)
  const value = digits * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

/** `String.trim`. */
export function trimControls(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}

/** `Double.compareTo`: NaN is the largest and equal to itself, -0.0 is below 0.0. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (Object.is(a, b)) return 0
  if (Number.isNaN(a)) return 1
  if (Number.isNaN(b)) return -1
  return Object.is(a, -0) ? -1 : 1
}

/** `Double.toString`: `1.0`, `1.5E10`. */
export function javaDoubleToString(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    const text = String(value)
    return text.includes('.') ? text : `${Object.is(value, -0) ? '-0' : text}.0`
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
