// Topologies with spouts and bolts in Java, submitted by an unmodified client of Storm: they run in the JVM beside the executor,
// mixed with multi-lang bolts.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { expectedWords } from './nimbus/nimbus-run.ts'
import { LINES, tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const SENTENCES = 200

realTest(
  test.serial,
  ['storm-lib'],
  'a word count with a Java spout, a Python split and a Java count gives exact counts, and acks each sentence once',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    await run.submit('words', `tour.count=${SENTENCES}`)
    await until('all are acked', () => run.noted('acked').length >= SENTENCES, 60_000)
    const acked = run.noted('acked').map(Number)
    t.deepEqual(
      acked.sort((a, b) => a - b),
      Array.from({ length: SENTENCES }, (_, i) => i),
    )
    const counts = new Map<string, number>()
    for (const line of run.noted('counts')) {
      const [word = '', count] = line.split(' ')
      counts.set(word, Math.max(counts.get(word) ?? 0, Number(count)))
    }
    t.deepEqual(
      [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
      expectedWords(SENTENCES),
    )
  },
)

for (const line of LINES) {
  realTest(
    test.serial,
    ['storm-lib'],
    `Java components of Storm ${line}: streams, direct and custom groupings, ticks, acks, fails, types of values`,
    async (t, [lib]) => {
      t.timeout(120_000)
      const run = await tour(t, lib, line)
      const count = 100
      await run.submit(
        'mixed',
        `tour.count=${count}`,
        // Long enough for a busy machine: only what is never answered is to time out.
        'topology.message.timeout.secs=8',
        'topology.max.spout.pending=20',
      )
      const ends = () => run.noted('acked').length + run.noted('failed').length
      await until('each number has ended', () => ends() >= 2 * count)
      // Of ten: 3 fails in the first bolt, 5 in the second, 7 is never answered and times out.
      const failed = (text: string) =>
        [3, 5, 7].includes(Number(/^\[id, (\d+), /.exec(text)![1]) % 10)
      const ids = [0, 1].flatMap(task =>
        Array.from({ length: count }, (_, n) => `[id, ${n}, ${task}]`),
      )
      t.deepEqual([...run.noted('failed')].sort(), ids.filter(failed).sort())
      t.deepEqual([...run.noted('acked')].sort(), ids.filter(id => !failed(id)).sort())
      t.true(Math.max(...run.noted('open').map(Number)) <= 20)
      const routed = ids.filter(id => ![3, 7].includes(Number(/, (\d+), /.exec(id)![1]) % 10))
      const [even, odd] = [0, 1].map(rest =>
        routed.filter(id => Number(/, (\d+), /.exec(id)![1]) % 2 === rest),
      )
      t.is(run.noted('even').length, even!.length)
      t.is(run.noted('odd').length, odd!.length)
      for (const text of run.noted('direct')) {
        const [n, , task] = text.split(' ').map(Number)
        t.is(task, n! % 3)
      }
      for (const text of run.noted('custom')) {
        const [n, , task] = text.split(' ').map(Number)
        t.is(task, (n! / 2) % 3)
      }
      t.is(run.noted('direct').length, routed.length)
      t.is(run.noted('custom').length, even!.length)
      // By the hash of Java: an Integer is its own.
      t.deepEqual(
        new Set(run.noted('even').map(text => text.replace(/ \d+ /, ' '))).size,
        even!.length / 2,
      )
      t.deepEqual([...run.noted('context')], ['route 1 3 4 [n, task]', 'route 1 3 4 [n, task]'])
      await until('ticks', () => run.noted('ticks').length >= 2)
      t.is(run.noted('ticks')[0], '__tick 1')
      t.deepEqual(run.noted('types').slice(0, 13), TYPES)
      t.is(run.noted('tasks').length, routed.length)
      t.regex(run.noted('tasks').find(text => text.startsWith('1 '))!, /^1 \[\d+\]$/)
    },
  )
}

const TYPES = [
  'Integer 1',
  'Long 2',
  'Float 1.5',
  'Double 2.0',
  'String aé中',
  'byte[] [1, 2]',
  'null null',
  'Boolean true',
  'BigInteger 123456789012345678901234567890',
  'BigDecimal 1.50',
  'ArrayList [x, 1, 1, {key=1}]',
  'Point point 7',
  'Long',
]

realTest(
  test.serial,
  ['storm-lib'],
  'a bolt with state keeps it at checkpoints and acks what it has kept; task hooks of the settings hear of everything',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    const count = 50
    const hooks = 'topology.auto.task.hooks=[JvmState$Hook]'
    await run.submit(
      'JvmState',
      `tour.count=${count}`,
      hooks,
      'topology.state.checkpoint.interval.ms=200',
    )
    await until('all are acked', () => run.noted('acked').length >= count)
    t.deepEqual(run.noted('failed'), [])
    const state = run.noted('state')
    t.is(state[0], 'begins with 0')
    t.is(state.at(-1), `keeps ${(count * (count - 1)) / 2}`)
    const heard = (what: string) => run.noted('hooks').filter(line => line === what).length
    for (const component of ['numbers', 'sum', '$checkpointspout'])
      t.is(heard(`prepared for ${component}`), 1)
    t.is(heard('execute numbers'), count)
    t.is(heard('ack numbers'), count)
    t.is(heard(`emit default [${count - 1}, 0]`), 1)
    await run.kill('JvmState')
    await until('hooks are cleaned up', () => heard('cleaned up') === 3)
  },
)

realTest(
  test.serial,
  ['storm-lib'],
  'a bolt that throws is reported with the stack trace of Java, fails what it held, and starts anew',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    await run.submit('throws', 'tour.count=12')
    const ends = () => run.noted('acked').length + run.noted('failed').length
    await until('each number has ended', () => ends() >= 12)
    t.true(run.noted('failed').includes('[id, 5, 0]'))
    await until('it is prepared again', () => run.noted('prepared').length === 2)
    const { errors } = await run.info('throws')
    const { message } = errors.thrower!.last.at(-1)!
    t.regex(
      message,
      /thrower\[task \d+\].*threw: java\.lang\.IllegalStateException: five is too much\n\tat JvmTour\$Thrower\.execute/,
    )
    t.notRegex(message, /gearpump\.host/)
  },
)

realTest(
  test.serial,
  ['storm-lib'],
  'a JVM that dies is started again with its components; the topology goes on',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    await run.submit('throws', 'tour.count=12', 'tour.halt=1')
    await until('it is prepared again', () => run.noted('prepared').length >= 2)
    const { errors, figures } = await run.info('throws')
    const told = Object.values(errors).flatMap(({ last }) => last.map(({ message }) => message))
    t.true(
      told.some(message => /the JVM of the Java components ended \(exit code 3\)/.test(message)),
    )
    t.is(figures.components.numbers!.tasks, 1)
    const before = run.noted('seen').length
    await until('more is seen', () => run.noted('seen').length > before)
  },
)

realTest(
  test.serial,
  ['storm-lib'],
  'a component that cannot be prepared, and Java where there is none, are refused with the cause',
  async (t, [lib]) => {
    t.timeout(120_000)
    const run = await tour(t, lib, '2')
    const broken = await t.throwsAsync(run.submit('broken'))
    t.regex(
      broken!.message,
      /broken\[task \d+\] \(JvmTour\$Broken\) threw in prepare: java\.lang\.IllegalStateException: no data base/,
    )
    const home = await t.throwsAsync(run.submit('words', 'gearpump.jvm.home=/nowhere'))
    t.regex(
      home!.message,
      /component count: is the Java class JvmTour\$Count .*there is no Java runtime here/s,
    )
    process.env.GEARPUMP_STORM_JARS = run.dir
    const jars = await t.throwsAsync(run.submit('words'))
    t.regex(
      jars!.message,
      /component sentences: is the Java class JvmTour\$Sentences.*there are no jars of Storm 2 in /s,
    )
  },
)
