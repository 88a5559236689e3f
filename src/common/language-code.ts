/** The peer's language: its name in JSON headers, its number in binary ones. */
export const LanguageCode = {
  JAVA: 0,
  CPP: 1,
  DOTNET: 2,
  PYTHON: 3,
  DELPHI: 4,
  ERLANG: 5,
  RUBY: 6,
  OTHER: 7,
  HTTP: 8,
  GO: 9,
  PHP: 10,
  OMS: 11,
  RUST: 12,
  NODE_JS: 13,
} as const
export type LanguageCode = (typeof LanguageCode)[keyof typeof LanguageCode]
export type LanguageName = keyof typeof LanguageCode

const names = Object.keys(LanguageCode) as LanguageName[]

/** The name of a language number; of an unknown number `OTHER`. */
export function languageName(code: number): LanguageName {
  return names[code] ?? 'OTHER'
}

/** The number of a language name; of an unknown name that of `OTHER`. */
export function languageCodeOf(name: string): LanguageCode {
  return Object.hasOwn(LanguageCode, name) ? LanguageCode[name as LanguageName] : LanguageCode.OTHER
}
