// What a shell component is told about where its tuples went, for every grouping, and that they went there.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { runFlux } from './flux-run.ts'

const WORDS = [
  'the',
  'cow',
  'jumped',
  'over',
  'moon',
  'é中',
  '😀',
  '',
  'polygenelubricants',
  7,
  -1,
  1.5,
  true,
  null,
]

/** Components in alphabetical order, `__acker` before all: 1 is it, emit has 2, seen 3 to 6, told 7, twin 8 and 9. */
const SEEN = [3, 4, 5, 6]
const TWIN = [8, 9]

// `Arrays.deepHashCode` of one value, as the documentation of Java defines it, for the kinds of value above.
function javaHash(value: unknown): number {
  if (value === null) return 0
  if (value === true) return 1231
  if (value === 1.5) return 0x3ff80000
  if (typeof value === 'number') return value
  return [...Array(String(value).length).keys()].reduce(
    (hash, i) => (Math.imul(hash, 31) + String(value).charCodeAt(i)) | 0,
    0,
  )
}

function fieldsTask(value: unknown): number {
  const hash = (31 + javaHash(value)) | 0
  return SEEN[((hash % SEEN.length) + SEEN.length) % SEEN.length]!
}

for (const executors of [1, 2]) {
  realTest(
    test,
    ['multilang'],
    `P8, P17, P18, P28, P29: task ids are told as Storm tells them, and tuples go there; ${executors} executors`,
    async (t, parts) => {
      const run = await runFlux(t, 'groupings', {
        parts,
        given: WORDS.map(word => [word]),
        args: ['--until-drained', '--executors', String(executors)],
      })
      const { acked, failed } = run.figures
      t.deepEqual({ acked, failed }, { acked: WORDS.length, failed: 0 })
      const told = new Map<string, number[]>()
      for (const { values } of run.seen('told')) {
        const [stream, word, ids] = values as [string, unknown, number[]]
        told.set(`${stream} ${word}`, ids)
      }
      for (const word of WORDS) {
        const ids = (stream: string) => told.get(`${stream} ${word}`)
        t.deepEqual(ids('fields'), [fieldsTask(word)], `fields ${word}`)
        t.deepEqual(ids('all'), SEEN)
        t.deepEqual(ids('global'), [SEEN[0]!])
        t.deepEqual(
          [...ids('both')!].sort(),
          [fieldsTask(word), ...TWIN].sort(),
          'concatenated over the consumers',
        )
        t.deepEqual(ids('nobody'), [])
        t.is(ids('direct')![1], null as never, 'a direct emit is not answered')
        for (const stream of ['none', 'shuffle', 'local', 'partial']) {
          t.is(ids(stream)!.length, 1)
          t.true(SEEN.includes(ids(stream)![0]!))
        }
      }
      const expected = [...told].flatMap(([key, ids]) => {
        const direct = key.startsWith('direct ')
        return (direct ? ids.slice(0, 1) : ids).map(task => `${task} ${key}`)
      })
      const seen = [...run.seen('seen'), ...run.seen('twin')].map(
        ({ task, stream, values }) => `${task} ${stream} ${values[0]}`,
      )
      t.deepEqual(seen.sort(), expected.sort())
      const shuffled = new Set(WORDS.map(word => told.get(`shuffle ${word}`)![0]))
      t.is(shuffled.size, SEEN.length, 'shuffle leaves nobody out')
    },
  )
}
