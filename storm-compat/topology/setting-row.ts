// What is said of one setting of Storm, and the short form in which the tables (settings-honoured.ts, settings-ignored.ts) say it.
export type SettingType =
  | 'boolean'
  | 'integer'
  | 'integer > 0'
  | 'integer >= 0'
  | 'number'
  | 'number > 0'
  | 'number >= 0'
  | 'string'
  | 'list of strings'
  | 'string or list of strings'
  | 'map of strings'
  | 'map of numbers'
  | 'map'
  | 'list'
  | 'list or map'

export type Treatment = 'honoured' | 'ignored' | 'refused'

export interface Setting {
  readonly key: string
  readonly type: SettingType
  /** Storm's default; undefined = the key is absent from the merged conf until somebody sets it. */
  readonly default: unknown
  readonly treatment: Treatment
  /** Honoured: what it does here. Ignored and refused: why. One line, without a full stop. */
  readonly note: string
}

/** A row of a table. */
export type Row = readonly [key: string, type: SettingType, fallback: unknown, note: string]

/** No default. */
export const ABSENT = undefined
