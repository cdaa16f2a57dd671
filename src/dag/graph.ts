// The DAG: what `graph` makes of the paths a user wrote, in the form that the rest of the engine reads. Processors
// are numbered in topological order, tasks are numbered on from 1, edges that close a cycle are marked, and each
// processor knows its level. Mistakes do not stop it: `validateDag` reports them all at once.
//
// Cycles are allowed. An edge closes a cycle when a depth-first walk from the sources meets its target on the very
// way it came by; without these edges the graph has no cycle, and only so order and levels mean something.
import type { Dag, ProcessorSpec } from './dag.ts'
import { type AnyProcessor, checkPath, type Link, PARALLELISM_MAX, type Path } from './processor.ts'

export type { Dag, Edge, ProcessorSpec } from './dag.ts'
export { validateDag } from './validate.ts'

/** Ids of tasks start here; Storm's do, and 0 stays free for "none". */
const FIRST_TASK_ID = 1

/**
 * The DAG of these paths. A processor that stands in several paths is one vertex.
 *
 * @example graph(a.to(b).to(c).to(d), a.to(c), b.to(e).to(d))
 */
export function graph(...paths: readonly Path<never, unknown>[]): Dag {
  for (const path of paths) checkPath(path, 'graph(…)')
  const vertices = collectVertices(paths)
  const links = collectLinks(paths)
  const closing = linksClosingCycles(vertices, links)
  const forward = links.filter(link => !closing.has(link))
  const ordered = topologicalOrder(vertices, forward)
  const levels = levelsOf(ordered, forward)
  const ids = new Map(ordered.map((vertex, id) => [vertex, id]))
  return {
    version: 0,
    processors: numberProcessors(ordered, levels),
    edges: links.map((link, id) => ({
      id,
      source: ids.get(link.source)!,
      target: ids.get(link.target)!,
      partitioner: link.partitioner,
      port: link.port,
      closesCycle: closing.has(link),
    })),
  }
}

// In the order in which they were first written: it decides between processors that could stand in any order.
function collectVertices(paths: readonly Path<never, unknown>[]): AnyProcessor[] {
  const vertices = new Set<AnyProcessor>()
  for (const path of paths) {
    vertices.add(path.head)
    for (const link of path.links) vertices.add(link.source).add(link.target)
  }
  return [...vertices]
}

// A path that was continued in two ways brings its first links twice: they are the same objects, and one edge each.
function collectLinks(paths: readonly Path<never, unknown>[]): Link[] {
  return [...new Set(paths.flatMap(path => path.links))]
}

function linksFrom(vertices: readonly AnyProcessor[], links: readonly Link[]) {
  const outgoing = new Map<AnyProcessor, Link[]>(vertices.map(vertex => [vertex, []]))
  for (const link of links) outgoing.get(link.source)!.push(link)
  return outgoing
}

// Depth first from each source, then from what no source reaches. Its own stack, as a DAG may be a long chain.
function linksClosingCycles(vertices: readonly AnyProcessor[], links: readonly Link[]): Set<Link> {
  const outgoing = linksFrom(vertices, links)
  const closing = new Set<Link>()
  const seen = new Set<AnyProcessor>()
  const onWay = new Set<AnyProcessor>()
  const sourcesFirst = [
    ...vertices.filter(vertex => vertex.kind === 'source'),
    ...vertices.filter(vertex => vertex.kind !== 'source'),
  ]
  for (const start of sourcesFirst) {
    if (seen.has(start)) continue
    const way = [visit(start)]
    while (way.length > 0) {
      const step = way[way.length - 1]!
      const link = step.links[step.next++]
      if (link === undefined) {
        onWay.delete(step.vertex)
        way.pop()
      } else if (onWay.has(link.target)) closing.add(link)
      else if (!seen.has(link.target)) way.push(visit(link.target))
    }
  }
  return closing

  function visit(vertex: AnyProcessor): { vertex: AnyProcessor; links: Link[]; next: number } {
    seen.add(vertex)
    onWay.add(vertex)
    return { vertex, links: outgoing.get(vertex)!, next: 0 }
  }
}

// Of the processors whose upstream is all placed, the one written first comes next.
function topologicalOrder(
  vertices: readonly AnyProcessor[],
  forward: readonly Link[],
): AnyProcessor[] {
  const outgoing = linksFrom(vertices, forward)
  const awaited = new Map<AnyProcessor, number>(vertices.map(vertex => [vertex, 0]))
  for (const link of forward) awaited.set(link.target, awaited.get(link.target)! + 1)
  const remaining = new Set(vertices)
  const ordered: AnyProcessor[] = []
  while (remaining.size > 0) {
    for (const vertex of remaining) {
      if (awaited.get(vertex) !== 0) continue
      remaining.delete(vertex)
      ordered.push(vertex)
      for (const link of outgoing.get(vertex)!)
        awaited.set(link.target, awaited.get(link.target)! - 1)
      break
    }
  }
  return ordered
}

function levelsOf(
  ordered: readonly AnyProcessor[],
  forward: readonly Link[],
): Map<AnyProcessor, number> {
  const outgoing = linksFrom(ordered, forward)
  const levels = new Map<AnyProcessor, number>(ordered.map(vertex => [vertex, 0]))
  for (const vertex of ordered) {
    for (const link of outgoing.get(vertex)!) {
      levels.set(link.target, Math.max(levels.get(link.target)!, levels.get(vertex)! + 1))
    }
  }
  return levels
}

function numberProcessors(
  ordered: readonly AnyProcessor[],
  levels: ReadonlyMap<AnyProcessor, number>,
): ProcessorSpec[] {
  let nextTask = FIRST_TASK_ID
  return ordered.map((vertex, id) => {
    const { parallelism = 1, description = '', config = {}, firstTask = nextTask } = vertex.options
    const tasks = taskIds(firstTask, parallelism)
    nextTask = firstTask + tasks.length
    const { name, kind, create } = vertex
    return {
      id,
      name,
      kind,
      parallelism,
      description,
      config,
      create,
      tasks,
      level: levels.get(vertex)!,
    }
  })
}

// No tasks for a parallelism that validation will refuse: a slip of the keyboard must not fill the memory first.
function taskIds(firstTask: number, parallelism: number): number[] {
  const legal = Number.isInteger(parallelism) && parallelism >= 1 && parallelism <= PARALLELISM_MAX
  return legal ? Array.from({ length: parallelism }, (_, index) => firstTask + index) : []
}
