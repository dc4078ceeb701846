import type { Confidence, SourcePlace } from '@havn/plugin-api'

/** JSON, in which `{ $secret }` stands for a secret, measured, and `{ $type }` for an object of that class. */
export type SettingValue =
  string | number | boolean | null | readonly SettingValue[] | { readonly [key: string]: SettingValue }

/** What is known of a secret: never its text. */
export interface SecretMeasures {
  length: number
  uniqueCharacters: number
  /** It begins with `django-insecure-`, as keys of `startproject` do. */
  isInsecure: boolean
  isEmpty: boolean
}

/** One place where the text of settings gives a setting its value, or changes it: `MIDDLEWARE += [...]`. */
export interface SettingAssignment {
  place: SourcePlace
  isChange: boolean
  /** `environment`: the expression reads variables. */
  origin: 'literal' | 'environment' | 'expression'
  /** A variable's default is text that stands in the file. */
  hasTextDefault: boolean
  /** Where each text of the expression stands. */
  strings: readonly { text: string; place: SourcePlace }[]
  /** Places of values by the path of their keys: `default.CONN_MAX_AGE`. */
  keys: Readonly<Record<string, SourcePlace>>
  /** Null where the expression is no literal. */
  value: SettingValue | undefined
}

/** A setting as the deployment has it. */
export interface DjangoSetting {
  name: string
  value: SettingValue
  /** Python's name of the value's type. */
  type: string
  /** Django's own value: the project says nothing. */
  isDefault: boolean
  /** Made of a value that stands in for what the deployment gives, and nobody sees here: not to be judged. */
  isFake: boolean
  /** Variables of the environment that decide about it, and that nothing in the project is known to set. */
  undecidedBy: readonly string[]
  /** Variables that decide about it, and that all services and containers that serve the project set to the same. */
  decidedBy: readonly { name: string; place: SourcePlace }[]
  /** `certain` where the settings were booted, `likely` where only their text was read. */
  confidence: Confidence
  /** What gave it its value; null where the project does not. */
  place: SourcePlace | null
  assignments: readonly SettingAssignment[]
}

/** A secret's measures; null for what is none. */
export function secretOf(value: SettingValue | undefined): SecretMeasures | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const measures = (value as Record<string, unknown>)['$secret']
  return measures === undefined ? null : (measures as SecretMeasures)
}

/** Where a text stands in what gives a setting its value: an app, a middleware. */
export function placeOfText(setting: DjangoSetting, text: string): SourcePlace | null {
  for (const { strings } of setting.assignments.toReversed()) {
    const found = strings.find((each) => each.text === text)
    if (found !== undefined) return found.place
  }
  return null
}

/** Where the value of a key stands, by its path: `default.CONN_MAX_AGE`. */
export function placeOfKey(setting: DjangoSetting, path: string): SourcePlace | null {
  for (const { keys } of setting.assignments.toReversed()) {
    const found = keys[path]
    if (found !== undefined) return found
  }
  return null
}
