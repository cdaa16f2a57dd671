// Spouts of other projects, unmodified, and values that pass through components and back, each through a Flux file.
import test, { type ExecutionContext } from 'ava'
import { Double } from 'gearpump/storm'
import { realTest } from '../real/parts.ts'
import { runFlux } from './flux-run.ts'
import { toText } from './topologies/components.ts'

const SENTENCES = [
  'the cow jumped over the moon',
  'an apple a day keeps the doctor away',
  'four score and seven years ago',
  'snow white and the seven dwarfs',
  'i am at two with nature',
]

for (const library of ['storm-starter', 'multilang'] as const) {
  const which =
    library === 'multilang' ? "Storm 2.8.1's storm.js" : 'the storm.js of its own release'
  realTest(
    test,
    ['storm-starter', library],
    `P16: randomsentence.js on ${which}: ids from 0 on are acked, with or without an answer to activate`,
    async (t, parts) => {
      const run = await runFlux(t, 'spout', {
        parts,
        properties: { program: 'node', script: 'randomsentence.js' },
        args: ['--for', '4s', '--log-level', 'debug'],
      })
      const { emitted, acked, failed, pending, lost } = run.figures
      t.true(emitted >= 5, `only ${emitted} sentences in 4 s: ${run.stderr.slice(-2000)}`)
      t.deepEqual(
        { acked, failed, pending, lost },
        { acked: emitted, failed: 0, pending: 0, lost: 0 },
      )
      t.is(run.seen('seen').length, emitted)
      t.true(run.seen('seen').every(({ values }) => SENTENCES.includes(values[0] as string)))
      t.true(run.stderr.includes('Received ack for - 0'), 'the id 0 is echoed as a number')
      t.is(run.code, 0)
    },
  )
}

realTest(
  test,
  ['pystorm', 'go-child', 'ruby', 'multilang'],
  'five languages in one topology over two executors, MessagePack and JSON: exact, all acked',
  async (t, [pystorm, go, ruby, multilang]) => {
    const run = await runFlux(t, 'mixed', {
      parts: [multilang],
      properties: { pystorm: pystorm.program!, go: go.program!, ruby: ruby.program! },
      args: ['--until-drained', '--idle', '1s', '--executors', '2'],
    })
    const words = Array.from({ length: 60 }, (_, i) =>
      `the ${i} cows jumped über the moon`.toUpperCase().split(' '),
    ).flat()
    const seen = run.seen('seen').map(({ values }) => values.join(' '))
    t.deepEqual(seen.sort(), words.map(word => `${word} ${word.length}`).sort())
    t.is(run.figures.acked, 60)
    t.is(run.figures.failed, 0)
    t.is(run.code, 0)
  },
)

const VALUES: readonly unknown[] = [
  '',
  'the cow/jumped over é中 😀 </a>',
  'line1\nend\nline3\r\n\u2028\u2029\u0000\u001f"\\',
  '👨‍👩‍👧‍👦 ﷽ e\u0301',
  0,
  -1,
  7,
  new Double(1),
  new Double(-3),
  1.5,
  -0.1,
  1e300,
  5e-324,
  9007199254740991,
  9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  null,
  true,
  false,
  [],
  {},
  [1, new Double(1), [null, [9007199254740993n]]],
  { a: [1, { b: null, 'c/d': new Double(2) }], '😀': '中' },
]
/** What MessagePack does not have, and JSON has. */
const JSON_ONLY: readonly unknown[] = [123456789012345678901234567890n, -(2n ** 80n)]
const BYTES_ONLY: readonly unknown[] = [Buffer.from([0, 255, 10, 101, 110, 100, 10])]

const IDENTITIES = [
  ['multilang', "Storm's storm.py", 'identity.py', 'json', [...VALUES, ...JSON_ONLY]],
  ['pystorm', 'pystorm in JSON', 'pystorm_identity.py', 'json', [...VALUES, ...JSON_ONLY]],
  [
    'pystorm',
    'pystorm in MessagePack',
    'pystorm_identity.py',
    'msgpack',
    [...VALUES, ...BYTES_ONLY],
  ],
] as const

for (const [name, what, script, serializer, values] of IDENTITIES) {
  for (const executors of [1, 2]) {
    const through = executors === 1 ? '' : ', through two executors'
    realTest(
      test,
      [name],
      `P2, P3: values come back from ${what} as they went${through}`,
      async (t, [part]) => {
        await assertIdentity(t, values, executors, {
          parts: [part],
          properties: { program: part.program ?? 'python3', script, serializer },
        })
      },
    )
  }
}

test('P2: values come back from our own storm.py as they went, in JSON and in MessagePack', async t => {
  const properties = { program: 'python3', script: 'identity.py' }
  await assertIdentity(t, [...VALUES, ...JSON_ONLY], 1, {
    parts: [],
    properties: { ...properties, serializer: 'json' },
  })
  await assertIdentity(t, [...VALUES, ...BYTES_ONLY], 2, {
    parts: [],
    properties: { ...properties, serializer: 'msgpack' },
  })
})

async function assertIdentity(
  t: ExecutionContext,
  values: readonly unknown[],
  executors: number,
  options: Pick<NonNullable<Parameters<typeof runFlux>[2]>, 'parts' | 'properties'>,
) {
  const run = await runFlux(t, 'identity', {
    ...options,
    given: values.map(value => [value]),
    args: ['--until-drained', '--executors', String(executors)],
  })
  const back = run.seen('seen').map(tuple => toText(tuple.values))
  t.deepEqual(back.sort(), values.map(value => toText([value, [value]])).sort())
  t.is(run.figures.acked, values.length, run.stderr)
  t.is(run.code, 0)
}
