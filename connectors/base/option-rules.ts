// Checks the options of a connector against a table of rules: unknown names, wrong types, numbers out of range.
import { nearestName, type Problem } from 'gearpump/spi'

export type OptionRule =
  | { readonly type: 'boolean' | 'text' | 'path' | 'paths' | 'function' }
  | { readonly type: 'choice'; readonly of: readonly string[] }
  | { readonly type: 'number'; readonly min: number; readonly max: number }

/** All that is wrong with `options`. `others`: names that there are as well, and that somebody else checks. */
export function checkOptions(
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  others: readonly string[] = [],
): Problem[] {
  const names = [...others, ...Object.keys(rules)]
  const known = `known: ${names.join(', ')}`
  if (typeof options !== 'object' || options === null)
    return [{ place: 'options', message: 'are missing', hint: known }]
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const rule = rules[name]
    if (rule === undefined) {
      const near = nearestName(name, names)
      const hint = near === undefined ? known : `did you mean ${near}?`
      problems.push({ place: name, message: 'is no option', hint })
      continue
    }
    const wanted = wantedOf(rule, value)
    if (wanted !== undefined) problems.push({ place: name, message: `must be ${wanted}` })
  }
  return problems
}

// What the value should have been; undefined when it is right.
function wantedOf(rule: OptionRule, value: unknown): string | undefined {
  switch (rule.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'function':
      return typeof value === 'function' ? undefined : 'a function'
    case 'text':
    case 'path':
      return isText(value) ? undefined : 'a text that is not empty'
    case 'paths': {
      const whole = Array.isArray(value) && value.length > 0 && value.every(isText)
      if (!whole) return 'a list of paths that is not empty'
      return new Set(value).size === value.length ? undefined : 'a list that names each path once'
    }
    case 'choice':
      return rule.of.includes(value as string) ? undefined : `one of ${rule.of.join(', ')}`
    case 'number': {
      const { min, max } = rule
      const right = Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      return right ? undefined : `a whole number from ${min} to ${max}`
    }
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}
