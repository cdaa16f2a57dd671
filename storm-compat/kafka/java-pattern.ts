// Patterns of Java (java.util.regex) as those of JavaScript, as far as names of topics need them: groups, classes,
// quoted text and the flags for letters of either case are the same thing in both.

const CASE_INSENSITIVE = 2
const LITERAL = 16

/** Throws for what JavaScript cannot say. Whole names are matched, whoever uses it. */
export function javaPattern(pattern: string, flags = 0): RegExp {
  let source = (flags & LITERAL) === 0 ? withoutQuotes(pattern) : escaped(pattern)
  let ignoresCase = (flags & CASE_INSENSITIVE) !== 0
  if (source.startsWith('(?i)')) {
    source = source.slice(4)
    ignoresCase = true
  }
  return new RegExp(source, ignoresCase ? 'i' : '')
}

// \Q…\E: the text itself.
function withoutQuotes(pattern: string): string {
  return pattern.replaceAll(/\\Q(.*?)(?:\\E|$)/gs, (_, quoted: string) => escaped(quoted))
}

function escaped(plain: string): string {
  return plain.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
