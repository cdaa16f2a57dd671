// The application of a world: its drawn graph, written as a user would, and what is needed to know of its edges.
import { type Application, application } from '../../src/app/application.ts'
import { graph } from '../../src/dag/graph.ts'
import {
  broadcast,
  colocation,
  direct,
  first,
  groupBy,
  hash,
  localOrShuffle,
  multicast,
  type Partitioner,
  shuffle,
  unicast,
} from '../../src/dag/partitioner.ts'
import { type AnyProcessor, type Path, processor, source } from '../../src/dag/processor.ts'
import type { Scenario } from './scenario.ts'
import { numberOf } from './user-code.ts'

const KINDS: Readonly<Record<Partitioner['kind'], () => Partitioner>> = {
  hash,
  shuffle,
  localOrShuffle,
  broadcast,
  colocation,
  first,
  direct,
  groupBy: () => groupBy<unknown>(value => numberOf(value) % 5),
  unicast: () => unicast<unknown>(targets => value => (numberOf(value) % (targets + 1)) - 1),
  multicast: () =>
    multicast<unknown>(
      targets => value =>
        Array.from({ length: targets }, (_, i) => i).filter(i => (numberOf(value) >> i) & 1),
    ),
}

export function applicationOf(
  scenario: Scenario,
  makers: { source: () => unknown; task: () => unknown },
): Application {
  const vertices: AnyProcessor[] = [
    ...scenario.sources.map((parallelism, i) =>
      source(`s${i}`, () => makers.source() as never, { parallelism }),
    ),
    ...scenario.processors.map((parallelism, i) =>
      processor(`p${i}`, () => makers.task() as never, {
        parallelism,
        config: { needsOrigin: true },
      }),
    ),
  ]
  const paths = scenario.edges.map(edge => {
    const from = vertices[edge.from] as unknown as Path<never, unknown>
    return from.to(vertices[edge.to] as never, KINDS[edge.kind](), edge.port)
  })
  return application('simulated', graph(...(paths as Path<never, unknown>[])), {
    profile: scenario.profile,
  })
}

/** Which tasks send to which, by task id. */
export class EdgeMap {
  readonly #consumers = new Map<string, readonly number[]>()
  readonly #closing = new Set<string>()
  readonly #passing = new Set<string>()
  readonly #emitters = new Map<number, Set<number>>()

  constructor({ dag: { processors, edges } }: Application) {
    for (const edge of edges) {
      const targets = processors[edge.target]!.tasks
      for (const from of processors[edge.source]!.tasks) {
        const key = `${from} ${edge.port}`
        this.#consumers.set(key, [...(this.#consumers.get(key) ?? []), ...targets])
        for (const to of targets) {
          if (edge.closesCycle) this.#closing.add(`${from} ${to}`)
          if (/shuffle/i.test(edge.partitioner.kind)) this.#passing.add(`${from} ${to}`)
          this.#emitters.set(to, (this.#emitters.get(to) ?? new Set()).add(from))
        }
      }
    }
  }

  consumers(task: number, port: string): readonly number[] {
    return this.#consumers.get(`${task} ${port}`) ?? []
  }

  emitters(task: number): Iterable<number> {
    return this.#emitters.get(task) ?? []
  }

  /** Whether an edge between these tasks closes a cycle: it never blocks. */
  closesCycle(from: number, to: number): boolean {
    return this.#closing.has(`${from} ${to}`)
  }

  /** Whether nobody waits for this one target: the edge never blocks, or passes over a target that is full. */
  waitsForNone(from: number, to: number): boolean {
    return this.closesCycle(from, to) || this.#passing.has(`${from} ${to}`)
  }
}
