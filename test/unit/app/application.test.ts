// What an application is made of is judged when it is made, all at once, and by a sentence for each mistake: files are run
// without being checked by a compiler.
import test from 'ava'
import {
  application,
  type EngineError,
  graph,
  groupBy,
  processor,
  type Serialiser,
  shuffle,
  source,
  UserError,
} from 'gearpump'

const lines = () => source<string>('lines', () => ({ next: () => 'end' as const }))
const split = () => processor<string, string>('split', () => ({ onNext: () => undefined }))
const dag = () => graph(lines().to(split()))

function problemsOf(make: () => unknown): string[] {
  try {
    make()
    return []
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.problems.map(({ place, message, hint }) => `${place}: ${message} (${hint})`)
  }
}

test('a profile is a name, or fields of which each is judged', t => {
  const profile = (given: unknown) =>
    problemsOf(() => application('x', dag(), { profile: given as never }))
  for (const right of [undefined, 'latency', {}, { base: 'throughput', timeoutMs: 0 }])
    t.deepEqual(profile(right), [])
  t.deepEqual(profile({ timeoutMs: Infinity, maxOpenRoots: undefined }), [])
  t.deepEqual(profile('throughputs'), [
    'profile: "throughputs" is none; there are balanced, throughput, latency (did you mean throughput?)',
  ])
  t.deepEqual(
    profile({ base: 1, guarantee: 'exactly-once', timeoutMS: 5, inboxDepth: 0, timeoutMs: NaN }),
    [
      'profile.base: 1 is none; there are balanced, throughput, latency (undefined)',
      'profile.guarantee: "exactly-once" is none; there are at-most-once, at-least-once (undefined)',
      'profile.timeoutMS: there is no such field (did you mean timeoutMs?)',
      'profile.inboxDepth: is 0; it must be a number from 1 (undefined)',
      'profile.timeoutMs: is NaN; it must be a number from 0 (undefined)',
    ],
  )
  t.is(
    application('x', dag(), { profile: { timeoutMs: undefined } as never }).profile.timeoutMs,
    30_000,
  )
})

test('what is no name, no graph and no serialiser is told together', t => {
  class Money {}
  const money = { name: 'money', type: Money, encode: () => 1, decode: () => new Money() }
  const problems = problemsOf(() =>
    application(undefined as never, lines().to(split()) as never, {
      serialisers: [money, money] as Serialiser[],
    }),
  )
  t.is(problems.length, 3)
  t.regex(problems[0]!, /second argument is no graph/)
  t.regex(problems[1]!, /^serialisers: serialiser "money" cannot be registered: another/)
  t.regex(problems[2]!, /"undefined" is no name/)
})

test('an instance in place of its maker, and a partitioner that was not called, are told', t => {
  const instance = { onNext: () => undefined }
  const count = processor('count', instance as never)
  const problems = problemsOf(() =>
    application(
      'x',
      graph(
        lines()
          .to(split(), shuffle as never)
          .to(count as never, groupBy as never),
      ),
    ),
  )
  t.deepEqual(
    problems.map(problem => problem.replace(/;.*/, '')),
    [
      'processor count: what makes its tasks is no function (write processor(name, () => new …), as each task needs one of its own)',
      'edge lines -> split: its partitioner is a function',
      'edge split -> count: its partitioner is a function',
    ],
  )
})

test('a name that is none is told as such', t => {
  const nameless = processor(undefined as never, () => ({ onNext: () => undefined }))
  t.deepEqual(
    problemsOf(() => application('x', graph(lines().to(nameless)))).map(problem =>
      problem.slice(0, 37),
    ),
    ['processor undefined: not a legal name'],
  )
})

test('what is no path is told where it was given', t => {
  const refused = (make: () => unknown) => t.throws<EngineError>(make)!
  t.regex(
    refused(() => lines().to(undefined as never)).message,
    /^lines\.to\(…\) was given something of type undefined/,
  )
  t.regex(
    refused(() => graph([lines()] as never)).message,
    /^graph\(…\) was given something a list/,
  )
  t.is(refused(() => graph({} as never)).code, 'BAD_INPUT')
})
