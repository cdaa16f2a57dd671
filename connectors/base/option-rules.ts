// Checks the options of a connector against a table of rules: unknown names, wrong types, numbers out of range.
import { nearestName, type Problem } from 'gearpump/spi'

export type OptionRule =
  | { readonly type: 'boolean' | 'text' | 'path' | 'paths' | 'function' }
  | { readonly type: 'choice'; readonly of: readonly string[] }
  | { readonly type: 'number'; readonly min: number; readonly max: number }

/** All that is wrong with `options`. */
export function checkOptions(
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
): Problem[] {
  if (typeof options !== 'object' || options === null)
    return [
      { place: 'options', message: 'are missing', hint: `known: ${Object.keys(rules).join(', ')}` },
    ]
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const rule = rules[name]
    if (rule === undefined) {
      const near = nearestName(name, Object.keys(rules))
      const hint =
        near === undefined ? `known: ${Object.keys(rules).join(', ')}` : `did you mean ${near}?`
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
