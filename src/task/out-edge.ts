// The edges of the DAG as an emitter uses them: the partitioner is chosen once, per message there is a plain call. Each
// emitting task has its own edges (round-robin state), the list of targets is shared by all tasks of a processor.
import { EngineError } from '../base/errors.ts'
import type { Edge } from '../dag/graph.ts'
import { hashOf } from '../dag/partitioner.ts'
import type { Slot } from '../progress/slot-ledger.ts'
import { type Emitter, FirstRoom, type Target } from './flow.ts'
import type { Way } from './inbox.ts'
import { chosenBy } from './partitioner-choice.ts'
import type { RunnerHost } from './runner-host.ts'
import type { Outlet, Targeting } from './task.ts'
import { guardCycle } from './task-runner.ts'

const NOBODY = -1
const SEVERAL = -2

/** The targets of one edge as this executor sees them. Order = index of the target task. */
export interface Targets {
  readonly all: readonly Target[]
  /** Those in this executor; empty when there are none. */
  readonly local: readonly Target[]
  readonly byTaskId: ReadonlyMap<number, Target>
  /** Emits to all of them, one message per executor. */
  broadcast(value: unknown, slot: Slot, way: Way, from: Emitter, exempt: boolean): void
}

export abstract class OutEdge {
  readonly targeting: Targeting = 'message'
  readonly targets: Targets
  protected readonly all: readonly Target[]
  protected readonly from: Emitter
  protected readonly way: Way
  protected readonly exempt: boolean
  readonly #host: RunnerHost

  constructor(host: RunnerHost, edge: Edge, targets: Targets, from: Emitter) {
    this.targets = targets
    this.all = targets.all
    this.#host = host
    this.from = from
    this.way = { edge: edge.id, source: from.taskId, origin: 0, straight: !edge.closesCycle }
    this.exempt = edge.closesCycle
  }

  /** Emits under `slot`; returns the target's task id, NOBODY, or SEVERAL (then `collect` tells). */
  abstract emit(value: unknown, slot: Slot): number

  /** Task ids of the last emit that returned SEVERAL. */
  collect(into: number[]): void {
    for (const target of this.all) into.push(target.taskId)
  }

  /** Adds the tasks that a message still to come goes to. Not where `targeting` is 'message'. */
  reserve(_into: number[]): void {
    throw new EngineError(
      'BUG',
      `edge ${this.way.edge}: targets that the message decides were reserved`,
    )
  }

  /** Emits to what was reserved, of which `taskId` is the first. Returns how many ids that was. */
  emitReserved(_taskId: number, value: unknown, slot: Slot): number {
    this.emit(value, slot)
    return 1
  }

  emitTo(taskId: number, value: unknown, slot: Slot): boolean {
    const target = this.targets.byTaskId.get(taskId)
    if (target === undefined) return false
    this.deliver(target, value, slot)
    return true
  }

  protected deliver(target: Target, value: unknown, slot: Slot): number {
    const from = this.from
    if (target.deliver(value, slot, this.way, from)) {
      if (this.exempt) this.guardCycle(target)
      else from.block(target)
    }
    return target.taskId
  }

  protected guardCycle(target: Target): void {
    guardCycle(this.#host, target, this.from)
  }

  protected deliverAll(value: unknown, slot: Slot): void {
    this.targets.broadcast(value, slot, this.way, this.from, this.exempt)
  }
}

class SingleEdge extends OutEdge {
  override readonly targeting = 'always'
  readonly #target: Target
  constructor(host: RunnerHost, edge: Edge, targets: Targets, from: Emitter, index: number) {
    super(host, edge, targets, from)
    this.#target = targets.all[index]!
  }
  override emit(value: unknown, slot: Slot): number {
    return this.deliver(this.#target, value, slot)
  }
  override reserve(into: number[]): void {
    into.push(this.#target.taskId)
  }
}

class HashEdge extends OutEdge {
  override emit(value: unknown, slot: Slot): number {
    return this.deliver(this.all[(hashOf(value) & 0x7fffffff) % this.all.length]!, value, slot)
  }
}

class GroupByEdge extends OutEdge {
  readonly #key: (value: never) => unknown
  constructor(
    host: RunnerHost,
    edge: Edge,
    targets: Targets,
    from: Emitter,
    key: (value: never) => unknown,
  ) {
    super(host, edge, targets, from)
    this.#key = key
  }
  override emit(value: unknown, slot: Slot): number {
    const hash = hashOf(this.#key(value as never)) & 0x7fffffff
    return this.deliver(this.all[hash % this.all.length]!, value, slot)
  }
}

// Round robin that passes over targets that are full while another has room: a stuck task stops only its share, and
// the emitter waits only when all are full.
class ShuffleEdge extends OutEdge {
  override readonly targeting = 'turns'
  readonly #among: readonly Target[]
  readonly #firstRoom: FirstRoom
  #next: number
  constructor(
    host: RunnerHost,
    edge: Edge,
    targets: Targets,
    from: Emitter,
    among: readonly Target[],
  ) {
    super(host, edge, targets, from)
    this.#among = among
    this.#firstRoom = new FirstRoom(from)
    this.#next = Math.floor(host.environment.random() * among.length)
  }
  override emit(value: unknown, slot: Slot): number {
    return this.#send(this.#choose(), value, slot)
  }

  override reserve(into: number[]): void {
    into.push(this.#choose().taskId)
  }

  // The target may have filled up since: it gets what was reserved all the same, and that is bounded by its holder.
  override emitReserved(taskId: number, value: unknown, slot: Slot): number {
    this.#send(this.targets.byTaskId.get(taskId)!, value, slot)
    return 1
  }

  #choose(): Target {
    const among = this.#among
    const target = among[this.#next]!
    if (++this.#next === among.length) this.#next = 0
    return target.isFull(this.from) ? (this.#withRoom() ?? this.#shallowest()) : target
  }

  #send(target: Target, value: unknown, slot: Slot): number {
    if (target.deliver(value, slot, this.way, this.from)) {
      if (this.exempt) this.guardCycle(target)
      else if (this.#allFull()) this.#firstRoom.wait(this.#among)
    }
    return target.taskId
  }

  #allFull(): boolean {
    for (const target of this.#among) if (!target.isFull(this.from)) return false
    return true
  }

  #withRoom(): Target | undefined {
    for (let tries = this.#among.length; tries > 1; tries--) {
      const target = this.#among[this.#next]!
      if (++this.#next === this.#among.length) this.#next = 0
      if (!target.isFull(this.from)) return target
    }
    return undefined
  }

  // All are full, in the middle of one input's output. What goes beyond the bound must not go round: a stuck task would get
  // its share of it each time the others have drained, without end.
  #shallowest(): Target {
    let best = this.#among[0]!
    for (const target of this.#among) {
      if (target.depth(this.from) < best.depth(this.from)) best = target
    }
    return best
  }
}

class BroadcastEdge extends OutEdge {
  override readonly targeting = 'always'
  override emit(value: unknown, slot: Slot): number {
    this.deliverAll(value, slot)
    return SEVERAL
  }
  override reserve(into: number[]): void {
    this.collect(into)
  }
  override emitReserved(_taskId: number, value: unknown, slot: Slot): number {
    this.deliverAll(value, slot)
    return this.all.length
  }
}

class DirectEdge extends OutEdge {
  override emit(): number {
    throw new EngineError(
      'UNKNOWN_TARGET',
      'a message was emitted without a target on a direct edge',
      {
        hint: 'emit to one task by its id',
        details: { edge: this.way.edge },
      },
    )
  }
}

class UnicastEdge extends OutEdge {
  readonly #choose: (value: never) => number
  constructor(
    host: RunnerHost,
    edge: Edge,
    targets: Targets,
    from: Emitter,
    choose: (value: never) => number,
  ) {
    super(host, edge, targets, from)
    this.#choose = choose
  }
  override emit(value: unknown, slot: Slot): number {
    const index = this.#choose(value as never)
    if (index === -1) return NOBODY
    const target = this.all[index]
    if (target === undefined) throw outOfRange(this.way.edge, index, this.all.length)
    return this.deliver(target, value, slot)
  }
}

class MulticastEdge extends OutEdge {
  readonly #choose: (value: never) => readonly number[]
  #last: readonly number[] = []
  constructor(
    host: RunnerHost,
    edge: Edge,
    targets: Targets,
    from: Emitter,
    choose: (value: never) => readonly number[],
  ) {
    super(host, edge, targets, from)
    this.#choose = choose
  }
  override emit(value: unknown, slot: Slot): number {
    const chosen = this.#choose(value as never)
    // All are checked before the first is sent, so that a wrong choice sends nothing.
    for (const index of chosen) {
      if (this.all[index] === undefined) throw outOfRange(this.way.edge, index, this.all.length)
    }
    for (const index of chosen) this.deliver(this.all[index]!, value, slot)
    this.#last = chosen
    return chosen.length === 0 ? NOBODY : SEVERAL
  }
  override collect(into: number[]): void {
    for (const index of this.#last) into.push(this.all[index]!.taskId)
  }
}

function outOfRange(edge: number, index: number, targets: number): EngineError {
  return new EngineError('UNKNOWN_TARGET', `a partitioner chose target ${index} of ${targets}`, {
    hint: 'return an index from 0 to the number of targets less one, or -1 for nobody',
    details: { edge },
  })
}

/** The edge as one emitting task uses it. `index` = the emitter's position in its processor. */
export function compileEdge(
  host: RunnerHost,
  edge: Edge,
  targets: Targets,
  from: Emitter,
  index: number,
): OutEdge {
  const partitioner = edge.partitioner
  const n = targets.all.length
  if (
    n === 1 &&
    (partitioner.kind === 'hash' ||
      partitioner.kind === 'shuffle' ||
      partitioner.kind === 'groupBy')
  )
    return new SingleEdge(host, edge, targets, from, 0)
  switch (partitioner.kind) {
    case 'hash':
      return new HashEdge(host, edge, targets, from)
    case 'groupBy':
      return new GroupByEdge(
        host,
        edge,
        targets,
        from,
        partitioner.key as (value: never) => unknown,
      )
    case 'shuffle':
      return new ShuffleEdge(host, edge, targets, from, targets.all)
    case 'localOrShuffle':
      return new ShuffleEdge(
        host,
        edge,
        targets,
        from,
        targets.local.length > 0 ? targets.local : targets.all,
      )
    case 'broadcast':
      return new BroadcastEdge(host, edge, targets, from)
    case 'colocation':
      return new SingleEdge(host, edge, targets, from, index % n)
    case 'first':
      return new SingleEdge(host, edge, targets, from, 0)
    case 'direct':
      return new DirectEdge(host, edge, targets, from)
    case 'unicast':
      return new UnicastEdge(host, edge, targets, from, chosenBy(partitioner, n, index))
    case 'multicast':
      return new MulticastEdge(host, edge, targets, from, chosenBy(partitioner, n, index))
  }
}

/** One port of an emitting task: all edges that leave it. */
export class PortOutlet implements Outlet {
  readonly targets: number[] = []
  readonly #from: Emitter
  readonly #edges: readonly OutEdge[]
  readonly #only: OutEdge | undefined

  constructor(from: Emitter, edges: readonly OutEdge[]) {
    this.#from = from
    this.#edges = edges
    this.#only = edges.length === 1 ? edges[0] : undefined
  }

  emit(value: unknown, slot: Slot): number {
    this.#from.emitted++
    if (this.#only === undefined) return this.#emitEach(value, slot)
    const target = this.#only.emit(value, slot)
    if (target === SEVERAL) {
      this.targets.length = 0
      this.#only.collect(this.targets)
    }
    return target
  }

  #emitEach(value: unknown, slot: Slot): number {
    const targets = this.targets
    targets.length = 0
    for (const edge of this.#edges) {
      const target = edge.emit(value, slot)
      if (target === SEVERAL) edge.collect(targets)
      else if (target !== NOBODY) targets.push(target)
    }
    return targets.length === 0 ? NOBODY : SEVERAL
  }

  emitTo(taskId: number, value: unknown, slot: Slot): boolean {
    let found = false
    for (const edge of this.#edges) found = edge.emitTo(taskId, value, slot) || found
    if (found) this.#from.emitted++
    return found
  }

  get targeting(): Targeting {
    const kinds = this.#edges.map(edge => edge.targeting)
    if (kinds.includes('message')) return 'message'
    return kinds.includes('turns') ? 'turns' : 'always'
  }

  reserve(): readonly number[] {
    const taskIds: number[] = []
    for (const edge of this.#edges) edge.reserve(taskIds)
    return taskIds
  }

  emitReserved(taskIds: readonly number[], value: unknown, slot: Slot): void {
    this.#from.emitted++
    let at = 0
    for (const edge of this.#edges) at += edge.emitReserved(taskIds[at]!, value, slot)
  }
}
