// Finds everything that is wrong with a DAG, in one go, in the user's words: names of processors, not ids. Pure: who
// submits a DAG throws the problems as one UserError. The DAG comes from `graph`, which lets mistakes through.
import type { Problem } from '../base/errors.ts'
import type { Dag, Edge, ProcessorSpec } from './dag.ts'
import { PARTITIONER_KINDS, type Partitioner } from './partitioner.ts'
import { DEFAULT_PORT, PARALLELISM_MAX } from './processor.ts'

/** Names appear in log lines, metrics and file names; the limit of a file name on common systems is 255 bytes. */
export const NAME_CHARACTERS_MAX = 200

/** Task ids travel as signed 32-bit integers. */
const TASK_ID_MAX = 0x7fff_ffff

/** All mistakes of a DAG; none means that it can run. */
export function validateDag(dag: Dag): Problem[] {
  return [
    ...noSource(dag),
    ...dag.processors.flatMap(badProcessor),
    ...sharedNames(dag.processors),
    ...sharedTaskIds(dag.processors),
    ...dag.edges.flatMap(edge => badEdge(dag, edge)),
    ...repeatedEdges(dag),
    ...unreachable(dag),
  ]
}

function noSource(dag: Dag): Problem[] {
  if (dag.processors.some(processor => processor.kind === 'source')) return []
  const message =
    dag.processors.length === 0 ? 'has no processor' : 'has no source: nothing would ever flow'
  return [{ place: 'graph', message, hint: 'begin a path with source(name, create)' }]
}

// TypeScript refuses some of what is looked for here, but files are run without being checked.
function badProcessor({ name, kind, parallelism, tasks, create }: ProcessorSpec): Problem[] {
  const place = `processor ${name}`
  const problems: Problem[] = []
  if (typeof create !== 'function') {
    problems.push({
      place,
      message: 'what makes its tasks is no function',
      hint: `write ${kind === 'source' ? 'source' : 'processor'}(name, () => new …), as each task needs one of its own`,
    })
  }
  if (!isLegalName(name))
    problems.push({ place: `processor ${JSON.stringify(name)}`, ...badName('name') })
  if (!Number.isInteger(parallelism) || parallelism < 1 || parallelism > PARALLELISM_MAX) {
    const given = typeof parallelism === 'number' ? parallelism : JSON.stringify(parallelism)
    const message = `parallelism is ${given}; it must be a whole number from 1 to ${PARALLELISM_MAX}`
    problems.push({ place, message })
  } else if (!isTaskId(tasks[0]!) || !isTaskId(tasks[tasks.length - 1]!)) {
    const message = `firstTask is ${tasks[0]}; all its task ids must be whole numbers from 1 to ${TASK_ID_MAX}`
    problems.push({ place, message })
  }
  return problems
}

function isTaskId(id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id <= TASK_ID_MAX
}

// Storm's component ids may hold nearly anything, so only what would spoil a line of log or a table is refused.
function isLegalName(name: unknown): boolean {
  return (
    typeof name === 'string' &&
    name.length > 0 &&
    name.length <= NAME_CHARACTERS_MAX &&
    name.trim() === name &&
    !/\p{Cc}/u.test(name)
  )
}

function badName(what: string): Omit<Problem, 'place'> {
  return {
    message: `not a legal ${what}`,
    hint: `1 to ${NAME_CHARACTERS_MAX} characters, none of them a control character, no space at either end`,
  }
}

function sharedNames(processors: readonly ProcessorSpec[]): Problem[] {
  const counts = new Map<string, number>()
  for (const { name } of processors) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => ({
      place: `processor ${name}`,
      message: `${count} processors have this name`,
      hint: 'give each a name of its own; to use one processor twice, keep it in a variable',
    }))
}

// Each processor's ids are one run without gaps: sorted by their first id, a run overlaps a former one exactly when it
// begins within the one that reaches farthest.
function sharedTaskIds(processors: readonly ProcessorSpec[]): Problem[] {
  const problems: Problem[] = []
  const runs = processors.filter(processor => processor.tasks.length > 0)
  runs.sort((a, b) => a.tasks[0]! - b.tasks[0]!)
  let farthest: ProcessorSpec | undefined
  for (const run of runs) {
    if (farthest !== undefined && run.tasks[0]! <= lastTask(farthest)) {
      const message = `task ids ${rangeOf(run)} overlap those of ${farthest.name}, ${rangeOf(farthest)}`
      problems.push({
        place: `processor ${run.name}`,
        message,
        hint: 'change firstTask of one of the two',
      })
    }
    if (farthest === undefined || lastTask(run) > lastTask(farthest)) farthest = run
  }
  return problems
}

function lastTask(processor: ProcessorSpec): number {
  return processor.tasks[processor.tasks.length - 1]!
}

function rangeOf(processor: ProcessorSpec): string {
  return `${processor.tasks[0]} to ${lastTask(processor)}`
}

function badEdge(dag: Dag, edge: Edge): Problem[] {
  const place = placeOf(dag, edge)
  const problems: Problem[] = []
  if (dag.processors[edge.target]!.kind === 'source') {
    problems.push({ place, message: 'leads into a source; a source takes no input' })
  }
  if (!isLegalName(edge.port)) problems.push({ place, ...badName('port') })
  const kind: unknown = edge.partitioner?.kind
  if (!PARTITIONER_KINDS.includes(kind as Partitioner['kind'])) {
    const got = typeof edge.partitioner === 'function' ? 'a function' : JSON.stringify(kind)
    const message = `its partitioner is ${got}; there are ${PARTITIONER_KINDS.join(', ')}`
    problems.push({ place, message, hint: 'call it: lines.to(split, shuffle())' })
  }
  return problems
}

function repeatedEdges(dag: Dag): Problem[] {
  const written = new Set<string>()
  return dag.edges.flatMap(edge => {
    const ends = `${edge.source} ${edge.target} ${edge.port}`
    if (!written.has(ends)) {
      written.add(ends)
      return []
    }
    const hint =
      'write it once, and continue another path from its target; or give the second a port of its own'
    return [
      {
        place: placeOf(dag, edge),
        message: 'is written twice: each message would arrive twice',
        hint,
      },
    ]
  })
}

function unreachable(dag: Dag): Problem[] {
  const reached = new Set<number>()
  const ahead = dag.processors.filter(processor => processor.kind === 'source').map(({ id }) => id)
  const targets = dag.processors.map((): number[] => [])
  for (const edge of dag.edges) targets[edge.source]!.push(edge.target)
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    if (reached.has(id)) continue
    reached.add(id)
    ahead.push(...targets[id]!)
  }
  return dag.processors
    .filter(({ id }) => !reached.has(id))
    .map(({ name }) => ({
      place: `processor ${name}`,
      message: 'no source leads to it',
      hint: 'join it to a path that begins with a source, or leave it out',
    }))
}

function placeOf(dag: Dag, edge: Edge): string {
  const port = edge.port === DEFAULT_PORT ? '' : ` (port ${edge.port})`
  return `edge ${dag.processors[edge.source]!.name} -> ${dag.processors[edge.target]!.name}${port}`
}
