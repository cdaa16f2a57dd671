// Components that start a process and override methods in Java: their classes in the submitted jar tell so, and they run in the JVM,
// which starts their process; where there is none they are refused. Those that override nothing need no Java at all.
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { expectedWords } from './nimbus/nimbus-run.ts'
import { LINES, type Tour, tour } from './sidecar/tour.ts'
import { until } from './until.ts'

const COUNT = 20
const WAIT_MS = 120_000

const words = (run: Tour, component: string) =>
  run.noted('words').filter(line => line.startsWith(`${component} `))

for (const line of LINES) {
  realTest(
    test.serial,
    ['storm-lib'],
    `shell components of Storm ${line} that override methods run in the JVM, with those methods`,
    async (t, [lib]) => {
      t.timeout(2 * WAIT_MS)
      const run = await tour(t, lib, line)
      await run.submit('JvmShells', `tour.count=${COUNT}`)
      await until('all are acked', () => run.noted('acked').length >= COUNT, WAIT_MS)
      const expected = expectedWords(COUNT).flatMap(([word, n]) => Array(n).fill(word) as string[])
      for (const component of ['split', 'loud', 'late']) {
        const told = words(run, component).map(text => text.slice(component.length + 1))
        t.deepEqual(told.sort(), expected.sort(), component)
      }
      t.is(run.noted('heard').length, COUNT)
      await until('all numbers are acked', () => run.noted('numbers').length >= COUNT, WAIT_MS)
      t.is(new Set(run.noted('numbers')).size, COUNT)
      t.is(words(run, 'numbers').length, COUNT)
    },
  )
}

realTest(
  test.serial,
  ['storm-lib'],
  'without Java, shell components that override methods are refused by class and method, and others are not',
  async (t, [lib]) => {
    t.timeout(WAIT_MS)
    const run = await tour(t, lib, '2')
    const refused = await t.throwsAsync(run.submit('JvmShells', 'gearpump.jvm.home=/nowhere'))
    const { message } = refused!
    const told = (component: string, name: string, method: string) =>
      `component ${component}: is the Java class JvmShells$${name}: it starts a process, and overrides ${method} in Java`
    t.true(message.includes(told('loud', 'Louder', 'Loud.prepare')), message)
    t.true(message.includes(told('late', 'Late', 'Late.prepare')), message)
    t.true(message.includes(told('numbers', 'Numbers', 'Numbers.open')), message)
    t.regex(message, /there is no Java runtime here: install one/)
    t.notRegex(message, /component split/)
  },
)
