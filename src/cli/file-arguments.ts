// What stands after `--` on the command line: arguments of the file, `--split 4`, `--split=4`, `--acked`. Only their
// form is read here; the file's declaration gives them types.
import { type Problem, UserError } from '../base/errors.ts'

export type GivenArguments = Readonly<Record<string, string | boolean>>

/** Splits a command line at the first `--`. */
export function splitArguments(argv: readonly string[]): [own: string[], file: string[]] {
  const at = argv.indexOf('--')
  return at < 0 ? [[...argv], []] : [argv.slice(0, at), argv.slice(at + 1)]
}

/** A name without a value is given as true; the last one of a name wins. Throws a UserError for what has no name. */
export function parseArguments(tokens: readonly string[]): GivenArguments {
  const given: [string, string | boolean][] = []
  const problems: Problem[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(token)
    if (match === null) {
      problems.push({ place: token, message: 'has no name', hint: 'write --name value' })
      continue
    }
    const next = tokens[i + 1]
    if (match[2] !== undefined) given.push([match[1]!, match[2]])
    else if (next === undefined || next.startsWith('--')) given.push([match[1]!, true])
    else {
      given.push([match[1]!, next])
      i++
    }
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'arguments after --', problems)
  return Object.fromEntries(given)
}
