// What a word is in all examples, and how counts are shown. The rule is one that `tr` can follow byte by byte, so that
// counts can be checked against the tools of every Unix: a word is a run of ASCII letters, apostrophes and non-ASCII
// characters; A to Z count as a to z. The Python split bolts follow it too (split.py).

const WORDS = /[a-z'\u0080-\u{10ffff}]+/gu
const CAPITALS = /[A-Z]+/g

export type Counts = ReadonlyMap<string, number>

/** The words of a line, in small letters. */
export function wordsOf(line: string): readonly string[] {
  const small = line.replace(CAPITALS, run => run.toLowerCase())
  return small.match(WORDS) ?? []
}

/** The most frequent words, the first of the alphabet first among equals. */
export function topWords(counts: Counts, top: number): readonly (readonly [string, number])[] {
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, top)
}

/** One line per word: count, tab, word. */
export function countsText(words: Iterable<readonly [string, number]>): string {
  return [...words].map(([word, count]) => `${count}\t${word}\n`).join('')
}
