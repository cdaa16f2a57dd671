import { spawnSync } from 'node:child_process'
import test from 'ava'
import { countsText, topWords, wordsOf } from '../../../../examples/text/words.ts'

const TEXT = `Cæsar's "E'en so", quoth K2; STRASSE Straße — ÆTNA 'tis\u00a0the  end.\t1623 \u{1d49c}b K`

test('words are found as tr finds them', t => {
  const script = `tr -cs "A-Za-z'\\200-\\377" '\\n' | tr A-Z a-z | grep .`
  const { stdout } = spawnSync('sh', ['-c', script], {
    input: TEXT,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  t.deepEqual(wordsOf(TEXT), stdout.trimEnd().split('\n'))
  t.deepEqual(wordsOf(' 1623, '), [])
})

test('the most frequent words come first, then by the alphabet', t => {
  const counts = new Map([
    ['b', 2],
    ['c', 3],
    ['a', 2],
    ['d', 1],
  ])
  t.is(countsText(topWords(counts, 3)), '3\tc\n2\ta\n2\tb\n')
})
