import test from 'ava'
import fc from 'fast-check'
import { type Dag, graph } from '../../../src/dag/graph.ts'
import { broadcast, hash } from '../../../src/dag/partitioner.ts'
import {
  type AnyProcessor,
  type Path,
  type Processor,
  type ProcessorOptions,
  processor,
  source,
} from '../../../src/dag/processor.ts'
import '../seed.ts'

function sourceNamed(name: string, options?: ProcessorOptions): Processor<never, number> {
  return source<number>(name, () => ({ next: () => 'end' }), options)
}

function taskNamed(name: string, options?: ProcessorOptions): Processor<number, number> {
  return processor<number, number>(name, () => ({ onNext: () => undefined }), options)
}

function edgesOf(dag: Dag): string[] {
  const nameOf = (id: number) => dag.processors[id]!.name
  return dag.edges.map(
    edge => `${nameOf(edge.source)}->${nameOf(edge.target)}${edge.closesCycle ? ' (cycle)' : ''}`,
  )
}

test('a graph reads as it is drawn, and its processors are numbered in topological order', t => {
  const [a, b, c, d, e] = [
    sourceNamed('a'),
    taskNamed('b'),
    taskNamed('c'),
    taskNamed('d'),
    taskNamed('e'),
  ]
  const dag = graph(a.to(b).to(c).to(d), a.to(c), b.to(e).to(d))

  t.deepEqual(edgesOf(dag), ['a->b', 'b->c', 'c->d', 'a->c', 'b->e', 'e->d'])
  t.deepEqual(
    dag.processors.map(({ id, name, level }) => [id, name, level]),
    [
      [0, 'a', 0],
      [1, 'b', 1],
      [2, 'c', 2],
      [3, 'e', 2],
      [4, 'd', 3],
    ],
  )
  t.is(dag.version, 0)
})

test('an edge has the default partitioner and port unless it names others', t => {
  const [a, b, c] = [sourceNamed('a'), taskNamed('b'), taskNamed('c')]
  const dag = graph(a.to(b).to(c, broadcast(), 'late'))
  t.like(dag.edges[0], { id: 0, source: 0, target: 1, partitioner: hash(), port: 'default' })
  t.like(dag.edges[1], { id: 1, source: 1, target: 2, partitioner: broadcast(), port: 'late' })
})

test('a path can be joined to a path, and continued in two ways without repeating its edges', t => {
  const [a, b, c, d, e] = [
    sourceNamed('a'),
    taskNamed('b'),
    taskNamed('c'),
    taskNamed('d'),
    taskNamed('e'),
  ]
  const start = a.to(b.to(c))
  t.deepEqual(edgesOf(graph(start.to(d), start.to(e))), ['a->b', 'b->c', 'c->d', 'c->e'])
})

test('a lone processor is a graph', t => {
  const dag = graph(sourceNamed('a'))
  t.deepEqual(dag.edges, [])
  t.like(dag.processors[0], {
    id: 0,
    name: 'a',
    kind: 'source',
    parallelism: 1,
    description: '',
    level: 0,
  })
})

test('tasks are numbered on from 1, or from firstTask where it is given', t => {
  const a = sourceNamed('a', { parallelism: 2 })
  const b = taskNamed('b', { parallelism: 3, firstTask: 10 })
  const c = taskNamed('c', { description: 'last', config: { size: 5 } })
  const dag = graph(a.to(b).to(c))
  t.deepEqual(
    dag.processors.map(({ tasks }) => tasks),
    [[1, 2], [10, 11, 12], [13]],
  )
  t.like(dag.processors[2], { description: 'last', config: { size: 5 } })
})

test('a processor written before its upstream still comes after it', t => {
  const [a, b, c] = [sourceNamed('a'), taskNamed('b'), taskNamed('c')]
  const dag = graph(b.to(c), a.to(b))
  t.deepEqual(
    dag.processors.map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})

test('the edge that leads back is the one that closes the cycle', t => {
  const [a, b, c] = [sourceNamed('a'), taskNamed('b'), taskNamed('c')]
  t.deepEqual(edgesOf(graph(c.to(b), a.to(b).to(c))), ['c->b (cycle)', 'a->b', 'b->c'])
  t.deepEqual(edgesOf(graph(a.to(b).to(b))), ['a->b', 'b->b (cycle)'])
})

test('a chain of many processors is no deeper than a short one', t => {
  let path: Path<never, number> = sourceNamed('start')
  for (let i = 0; i < 2000; i++) path = path.to(taskNamed(`step ${i}`))
  const dag = graph(path)
  t.is(dag.processors.at(-1)!.level, 2000)
})

// Any edges at all between few vertices: cycles, self loops, parallel edges, parts that no source reaches.
const anyGraph = fc.integer({ min: 1, max: 9 }).chain(size =>
  fc.record({
    sources: fc.integer({ min: 1, max: size }),
    ends: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 24 }),
    size: fc.constant(size),
  }),
)

function built({
  size,
  sources,
  ends,
}: {
  size: number
  sources: number
  ends: [number, number][]
}) {
  const vertices = Array.from({ length: size }, (_, i) =>
    i < sources ? sourceNamed(`${i}`) : taskNamed(`${i}`),
  )
  const into = vertices as readonly AnyProcessor[] as readonly Processor<number, number>[]
  const paths = ends.map(([from, to]) => vertices[from]!.to(into[to]!))
  return graph(...vertices, ...paths)
}

test('without the edges that close a cycle, any graph is in topological order', t => {
  fc.assert(
    fc.property(anyGraph, drawn => {
      const dag = built(drawn)
      t.is(dag.processors.length, drawn.size)
      t.is(dag.edges.length, drawn.ends.length)
      for (const edge of dag.edges) if (!edge.closesCycle) t.true(edge.source < edge.target)
    }),
  )
})

test('only edges on a cycle are said to close one', t => {
  fc.assert(
    fc.property(anyGraph, drawn => {
      const dag = built(drawn)
      for (const edge of dag.edges)
        if (edge.closesCycle) t.true(reaches(dag, edge.target, edge.source))
    }),
  )
})

test('a level is the longest way from where nothing leads in, cycles left out', t => {
  fc.assert(
    fc.property(anyGraph, drawn => {
      const dag = built(drawn)
      for (const { id, level } of dag.processors) t.is(level, longestWayTo(dag, id))
    }),
  )
})

function reaches(dag: Dag, from: number, to: number): boolean {
  const reached = new Set([from])
  for (let before = 0; before < reached.size; ) {
    before = reached.size
    for (const edge of dag.edges) if (reached.has(edge.source)) reached.add(edge.target)
  }
  return reached.has(to)
}

function longestWayTo(dag: Dag, id: number): number {
  const lengths = dag.edges
    .filter(edge => edge.target === id && !edge.closesCycle)
    .map(edge => 1 + longestWayTo(dag, edge.source))
  return Math.max(0, ...lengths)
}
