// Reads the command line of one of Storm's verbs: options by a table, arguments between them, and the options that every
// verb knows (-c, --config). Like Storm's own parser it takes options anywhere, `--name value`, `--name=value` and `-nVALUE`.
import { nearestName } from 'gearpump/spi'
import { StormUsageError } from './usage-error.ts'

export interface OptionSpec {
  /** All spellings: `['-w', '--wait-time-secs']`. */
  readonly flags: readonly string[]
  /** A switch takes no value; a list may be repeated. */
  readonly takes: 'nothing' | 'one' | 'list'
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

export interface CommandLine {
  readonly values: ReadonlyMap<string, readonly string[]>
  /** What is no option, in order. */
  readonly words: readonly string[]
}

/** Known to every verb. `-storm_config_opts` is Storm's long spelling of -c. */
export const commonOptions = {
  setting: { flags: ['-c', '-storm_config_opts', '--storm_config_opts'], takes: 'list' },
  config: { flags: ['--config'], takes: 'one' },
} as const satisfies OptionTable

/**
 * Reads `argv` by a table of options; throws a StormUsageError.
 *
 * With `unknown: 'keep'`, what the table does not know stays among the words, in its place: arguments of a program.
 */
export function readCommandLine(
  argv: readonly string[],
  table: OptionTable,
  unknown: 'refuse' | 'keep' = 'refuse',
): CommandLine {
  const specs = { ...table, ...commonOptions }
  const values = new Map<string, string[]>()
  const words: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') {
      words.push(...argv.slice(at + 1))
      break
    }
    const found = optionOf(word, specs)
    if (found === undefined) {
      if (unknown === 'refuse' && isOption(word))
        throw new StormUsageError(unknownOption(word, specs))
      words.push(word)
      continue
    }
    const { name, spec, attached } = found
    const before = values.get(name) ?? []
    if (spec.takes === 'nothing') {
      if (attached !== undefined) throw new StormUsageError(`${word}: this option takes no value`)
      values.set(name, ['true'])
      continue
    }
    const value = attached ?? argv[++at]
    if (value === undefined) throw new StormUsageError(`${word} needs a value`)
    values.set(name, spec.takes === 'list' ? [...before, value] : [value])
  }
  return { values, words }
}

/** Options that every verb knows and that stand before it, as Storm took them up to 1.2; `rest` begins with the verb. */
export function leadingOptions(argv: readonly string[]): {
  options: readonly string[]
  rest: readonly string[]
} {
  let at = 0
  for (;;) {
    const found = optionOf(argv[at] ?? '', commonOptions)
    if (found === undefined) return { options: argv.slice(0, at), rest: argv.slice(at) }
    at += found.attached === undefined ? 2 : 1
  }
}

/** The value of an option that was given at most once. */
export function one(line: CommandLine, name: string): string | undefined {
  return line.values.get(name)?.at(-1)
}

export function list(line: CommandLine, name: string): readonly string[] {
  return line.values.get(name) ?? []
}

export function given(line: CommandLine, name: string): boolean {
  return line.values.has(name)
}

/** A whole number of at least `min`; undefined if the option was not given. */
export function wholeNumber(line: CommandLine, name: string, min: number): number | undefined {
  const text = one(line, name)
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text)
  throw new StormUsageError(`"${text}" is no whole number of at least ${min}`)
}

/** Exactly the named arguments: `words(line, ['topology-name'])`. */
export function words(line: CommandLine, names: readonly string[]): readonly string[] {
  const missing = names[line.words.length]
  if (missing !== undefined) throw new StormUsageError(`${missing} is missing`)
  const extra = line.words[names.length]
  if (extra !== undefined) throw new StormUsageError(`unexpected argument "${extra}"`)
  return line.words
}

function optionOf(
  word: string,
  table: OptionTable,
): { name: string; spec: OptionSpec; attached: string | undefined } | undefined {
  if (!isOption(word)) return undefined
  for (const [name, spec] of Object.entries(table)) {
    for (const flag of spec.flags) {
      if (word === flag) return { name, spec, attached: undefined }
      if (flag.startsWith('--') && word.startsWith(`${flag}=`)) {
        return { name, spec, attached: word.slice(flag.length + 1) }
      }
    }
  }
  // -w5; after the whole words, for -storm_config_opts begins with a letter too.
  for (const [name, spec] of Object.entries(table)) {
    const letter = spec.flags.find(flag => /^-\w$/.test(flag) && word.startsWith(flag))
    if (letter !== undefined && spec.takes !== 'nothing' && !word.startsWith('--')) {
      return { name, spec, attached: word.slice(2) }
    }
  }
  return undefined
}

// A negative number, and a lone dash, are arguments.
function isOption(word: string): boolean {
  return /^-[^\d]/.test(word)
}

function unknownOption(word: string, table: OptionTable): string {
  const name = word.split('=')[0]!
  const near = nearestName(
    name,
    Object.values(table).flatMap(spec => spec.flags),
  )
  return `there is no option ${name}${near === undefined ? '' : `; did you mean ${near}?`}`
}
