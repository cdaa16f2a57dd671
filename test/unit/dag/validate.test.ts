import test from 'ava'
import { type Dag, graph, validateDag } from '../../../src/dag/graph.ts'
import { broadcast, hash } from '../../../src/dag/partitioner.ts'
import {
  type AnyProcessor,
  PARALLELISM_MAX,
  type Processor,
  type ProcessorOptions,
  processor,
  source,
} from '../../../src/dag/processor.ts'
import { NAME_CHARACTERS_MAX } from '../../../src/dag/validate.ts'

function sourceNamed(name: string, options?: ProcessorOptions): Processor<never, number> {
  return source<number>(name, () => ({ next: () => 'end' }), options)
}

function taskNamed(name: string, options?: ProcessorOptions): Processor<number, number> {
  return processor<number, number>(name, () => ({ onNext: () => undefined }), options)
}

// What the compiler would refuse, as plain JavaScript may still write it.
function asTask(vertex: AnyProcessor): Processor<number, number> {
  return vertex as Processor<number, number>
}

function problemsOf(dag: Dag): string[] {
  return validateDag(dag).map(({ place, message }) => `${place}: ${message}`)
}

test('a sound graph has no problem, and a cycle is none', t => {
  const [a, b, c] = [sourceNamed('word source'), taskNamed('$split/2'), taskNamed('Zähler')]
  t.deepEqual(problemsOf(graph(a.to(b).to(c).to(b), a.to(c, broadcast()))), [])
})

test('an empty graph and one without a source are refused', t => {
  t.deepEqual(problemsOf(graph()), ['graph: has no processor'])
  t.deepEqual(problemsOf(graph(taskNamed('a'))), [
    'graph: has no source: nothing would ever flow',
    'processor a: no source leads to it',
  ])
})

test('all mistakes are told at once', t => {
  const a = sourceNamed('a')
  const b = taskNamed('b', { parallelism: 0 })
  const other = taskNamed('b', { parallelism: 1.5 })
  const alone = taskNamed(' alone')
  const dag = graph(a.to(b).to(other), other.to(asTask(a)), alone)
  t.deepEqual(problemsOf(dag), [
    `processor b: parallelism is 0; it must be a whole number from 1 to ${PARALLELISM_MAX}`,
    `processor b: parallelism is 1.5; it must be a whole number from 1 to ${PARALLELISM_MAX}`,
    'processor " alone": not a legal name',
    'processor b: 2 processors have this name',
    'edge b -> a: leads into a source; a source takes no input',
    'processor  alone: no source leads to it',
  ])
})

test('parallelism goes from 1 to its limit', t => {
  t.deepEqual(problemsOf(graph(sourceNamed('a', { parallelism: PARALLELISM_MAX }))), [])
  for (const parallelism of [-1, PARALLELISM_MAX + 1, 1e12, Number.NaN, Number.POSITIVE_INFINITY]) {
    const problems = problemsOf(graph(sourceNamed('a', { parallelism })))
    t.is(problems.length, 1)
    t.regex(problems[0]!, /^processor a: parallelism is/)
  }
})

test('a parallelism that is a text is shown as one', t => {
  const problems = problemsOf(graph(sourceNamed('a', { parallelism: '4' as never })))
  t.regex(problems[0]!, /parallelism is "4"; it must be a whole number/)
})

test('names that would spoil a line are refused', t => {
  for (const name of ['', ' a', 'a ', 'a\nb', 'a\u0000', 'x'.repeat(NAME_CHARACTERS_MAX + 1)]) {
    t.is(problemsOf(graph(sourceNamed(name))).length, 1, JSON.stringify(name))
  }
})

test('the same edge twice is refused, unless its port is another', t => {
  const [a, b] = [sourceNamed('a'), taskNamed('b')]
  t.deepEqual(problemsOf(graph(a.to(b), a.to(b, hash(), 'late'))), [])
  t.deepEqual(
    problemsOf(
      graph(a.to(b), a.to(b, broadcast()), a.to(b, hash(), 'late'), a.to(b, hash(), 'late')),
    ),
    [
      'edge a -> b: is written twice: each message would arrive twice',
      'edge a -> b (port late): is written twice: each message would arrive twice',
    ],
  )
})

test('a port without a name is refused', t => {
  t.deepEqual(problemsOf(graph(sourceNamed('a').to(taskNamed('b'), hash(), ''))), [
    'edge a -> b (port ): not a legal port',
  ])
})

test('task ids must be legal and nobody else’s', t => {
  const a = sourceNamed('a', { firstTask: 5, parallelism: 10 })
  const b = taskNamed('b', { firstTask: 1, parallelism: 5 })
  const c = taskNamed('c', { firstTask: 6 })
  const d = taskNamed('d', { firstTask: 14, parallelism: 2 })
  const e = taskNamed('e', { firstTask: 0 })
  t.deepEqual(problemsOf(graph(a.to(b).to(c).to(d).to(e))), [
    'processor e: firstTask is 0; all its task ids must be whole numbers from 1 to 2147483647',
    'processor a: task ids 5 to 14 overlap those of b, 1 to 5',
    'processor c: task ids 6 to 6 overlap those of a, 5 to 14',
    'processor d: task ids 14 to 15 overlap those of a, 5 to 14',
  ])
})
