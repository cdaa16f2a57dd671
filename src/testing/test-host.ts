// What a task or source under test stands on: the real run loop and the real ledger, without an executor around them, and
// ports that note down what comes out. Shared by testTask and testSource.
import type { LogLine } from '../base/log.ts'
import type { Edge } from '../dag/graph.ts'
import { type LedgerEvents, NONE, type Slot, SlotLedger } from '../progress/slot-ledger.ts'
import { CycleGuard, type Emitter, Gate, type Target } from '../task/flow.ts'
import { compileEdge, PortOutlet } from '../task/out-edge.ts'
import { balanced, type Profile } from '../task/profile.ts'
import { RunLoop } from '../task/run-loop.ts'
import type { RunnerHost } from '../task/runner-host.ts'
import type { Place } from '../task/task.ts'
import type { ManualEnvironment } from './manual-environment.ts'

/** What can be said about the place of a task under test. */
export interface PlaceOptions {
  /** 1 if not given. */
  taskId?: number
  processor?: string
  index?: number
  parallelism?: number
  config?: Readonly<Record<string, unknown>>
  /** Overrides of the balanced profile. */
  profile?: Partial<Profile>
}

/** A message that was emitted. */
export interface Emission {
  readonly port: string
  readonly value: unknown
  /** Task id, if it was emitted to one task. */
  readonly to: number | undefined
  /** The ledger's slot it was emitted under; 0 = untracked. */
  readonly slot: Slot
}

export class TestHost implements RunnerHost {
  readonly environment: ManualEnvironment
  readonly loop: RunLoop
  readonly ledger: NotedLedger
  readonly profile: Profile
  readonly cycleGuard = new CycleGuard(() => undefined)
  readonly executorId = 1
  appClockUs = 0
  readonly errors: Error[] = []
  readonly lines: { level: LogLine['level']; text: string }[] = []
  readonly metrics = new Map<string, unknown>()

  constructor(
    environment: ManualEnvironment,
    events: LedgerEvents,
    profile: Partial<Profile> = {},
  ) {
    this.environment = environment
    this.ledger = new NotedLedger(events)
    this.profile = { ...balanced, ...profile }
    this.loop = new RunLoop(environment, () => {
      if (this.ledger.backlog) this.ledger.resume()
    })
  }

  report(_taskId: number, error: Error): void {
    this.errors.push(error)
  }

  log(_taskId: number, level: LogLine['level'], text: string): void {
    this.lines.push({ level, text })
  }

  metric(_taskId: number, name: string, value: unknown): void {
    this.metrics.set(name, value)
  }

  consumed(): void {
    // Nothing comes over a link here.
  }
}

/** A ledger that remembers what its joins were made of. */
export class NotedLedger extends SlotLedger {
  readonly #parents = new Map<Slot, readonly Slot[]>()

  override join(parents: readonly Slot[]): Slot {
    const slot = super.join(parents)
    this.#parents.set(slot, [...parents])
    return slot
  }

  /** The slots of inputs or roots that a slot stands for, now. */
  anchorsOf(slot: Slot): readonly Slot[] {
    if (slot === NONE) return []
    return this.#parents.get(slot)?.flatMap(parent => this.anchorsOf(parent)) ?? [slot]
  }

  protected override finish(slot: Slot): void {
    this.#parents.delete(slot)
    super.finish(slot)
  }
}

/** Every port there may be: one is made when it is asked for. What is emitted goes to `note` and is done at once. */
export class OpenPorts extends Map<string, PortOutlet> {
  readonly #host: RunnerHost
  readonly #from: Emitter
  readonly #note: (emission: Emission) => void
  #full = false
  #gate = new Gate()

  constructor(host: RunnerHost, from: Emitter, note: (emission: Emission) => void) {
    super()
    this.#host = host
    this.#from = from
    this.#note = note
  }

  /** While full, the emitter waits after each input that emits, as behind a slow consumer. */
  setFull(full: boolean): void {
    this.#full = full
    if (!full) this.#gate.open()
  }

  override get(port: string): PortOutlet {
    const known = super.get(port)
    if (known !== undefined) return known
    const host = this.#host
    const anyone = this.#target(port, undefined)
    const targets = {
      all: [anyone],
      local: [anyone],
      byTaskId: new AnyTask(taskId => this.#target(port, taskId)),
      broadcast: () => undefined,
    }
    const outlet = new PortOutlet(this.#from, [
      compileEdge(host, edgeOf(port), targets, this.#from, 0),
    ])
    this.set(port, outlet)
    return outlet
  }

  #target(port: string, to: number | undefined): Target {
    return {
      taskId: to ?? 0,
      deliver: (value, slot) => {
        this.#note({ port, value, to, slot })
        return this.#full
      },
      isFull: () => this.#full,
      gate: () => this.#gate,
      depth: () => 0,
    }
  }
}

class AnyTask extends Map<number, Target> {
  readonly #make: (taskId: number) => Target

  constructor(make: (taskId: number) => Target) {
    super()
    this.#make = make
  }

  override get(taskId: number): Target {
    const target = super.get(taskId) ?? this.#make(taskId)
    this.set(taskId, target)
    return target
  }
}

function edgeOf(port: string): Edge {
  return { id: 0, source: 0, target: 1, partitioner: { kind: 'first' }, port, closesCycle: false }
}

export function placeOf(options: PlaceOptions): Place {
  return {
    taskId: options.taskId ?? 1,
    processor: options.processor ?? 'tested',
    index: options.index ?? 0,
    parallelism: options.parallelism ?? 1,
    executorId: 1,
    config: options.config ?? {},
  }
}
