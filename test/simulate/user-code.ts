// What users of a simulated world do, drawn at each input: emit anchored to one input, to several or to none; ack, fail,
// throw, hold and let go later in any turn or by a timer, keep an input for ever, renew, wait for a promise, emit to one
// task by name. Everything is told to the oracle just before the engine can act on it.
import type { Emitter } from '../../src/task/flow.ts'
import { Hold } from '../../src/task/hold.ts'
import type { PortOutlet } from '../../src/task/out-edge.ts'
import type { SourceRunnerContext } from '../../src/task/source-context.ts'
import type { Task } from '../../src/task/task.ts'
import type { RunnerContext } from '../../src/task/task-context.ts'
import type { TaskRunner } from '../../src/task/task-runner.ts'
import type { Delivery, Message, Oracle, Root } from './oracle.ts'
import type { Scenario } from './scenario.ts'
import type { Chance } from './virtual-time.ts'

/** What user code sees of its world. */
export interface Stage {
  readonly scenario: Scenario
  readonly oracle: Oracle
  readonly chance: Chance
  /** From now on nothing fails and nothing is kept: the world shall come to rest. */
  readonly calm: boolean
  now(): number
  /** Slots of executors two tasks are in, as a pair; undefined when it is one. */
  pairOf(from: number, to: number): string | undefined
  /** Whether an edge between these tasks closes a cycle. */
  exempt(from: number, to: number): boolean
  consumers(task: number, port: string): readonly number[]
  /** Calls `fn` later, in the process of this context, on no turn. */
  later(context: { readonly executorId: number }, delayMs: number, fn: () => void): void
  /** Called at the start of each input: flow control must have held. */
  checkFlow(task: number): void
}

/** A root whose messages are so many makes no more: broadcasts in cycles explode. */
const DELIVERIES_MAX = 60
export const EMITS_PER_INPUT_MAX = 3
const ROOTLESS_MAX = 5000
const PORTS = ['default', 'side', 'direct'] as const
const RENEWALS_PER_PERIOD = 4

// Several shapes of values, so that every column and codec has its turn. The number is what matters.
export function payloadOf(number: number): unknown {
  switch (number % 4) {
    case 0:
      return number
    case 1:
      return `m${number}`
    case 2:
      return { n: number, text: 'x'.repeat(number % 7) }
    default:
      return [number, new Uint8Array(number % 5)]
  }
}

export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return Number(value.slice(1))
  if (Array.isArray(value)) return value[0] as number
  return (value as { n: number }).n
}

/** Who emits, what, and whom the oracle was told of so far. */
export class Sender {
  message: Message | undefined = undefined
  exempt = false
  readonly #task: number
  readonly #stage: Stage
  #told: number[] = []

  constructor(context: SourceRunnerContext | RunnerContext, stage: Stage) {
    this.#task = context.taskId
    this.#stage = stage
    senders.set(Reflect.get(context, 'runner') as Emitter, this)
  }

  /** Tells the oracle of each message an outlet sends, before any of them can be handled. */
  watch(outlet: PortOutlet): void {
    const emit = outlet.emit.bind(outlet)
    const emitTo = outlet.emitTo.bind(outlet)
    outlet.emit = (value, slot) => {
      this.#told = []
      const target = emit(value, slot)
      if (target >= 0) this.#sent(target)
      else if (target === -2) for (const to of outlet.targets) this.#sent(to)
      return target
    }
    outlet.emitTo = (to, value, slot) => {
      this.#told = []
      const found = emitTo(to, value, slot)
      if (found) this.#sent(to)
      return found
    }
  }

  /** A task of the same executor is given a message, and may handle it at once. */
  gives(to: number): void {
    this.#tell(to)
    this.#told.push(to)
  }

  #sent(to: number): void {
    const at = this.#told.indexOf(to)
    if (at < 0) this.#tell(to)
    else this.#told.splice(at, 1)
  }

  #tell(to: number): void {
    const { message } = this
    const stage = this.#stage
    if (message === undefined) throw stage.oracle.stop('a message nobody has announced')
    const exempt = this.exempt || stage.exempt(this.#task, to)
    stage.oracle.sent(message, this.#task, to, stage.pairOf(this.#task, to), exempt)
  }
}

const senders = new WeakMap<Emitter, Sender>()

/** Watches what a task is given in its own executor. */
export function watchDeliveries(runner: TaskRunner<RunnerContext>): void {
  const deliver = runner.deliver.bind(runner)
  runner.deliver = (value, slot, way, from) => {
    senders.get(from)?.gives(runner.taskId)
    return deliver(value, slot, way, from)
  }
}

/** An input kept. The engine may give it up too. */
class KeptInput extends Hold {
  readonly delivery: Delivery
  readonly stage: Stage
  renewing = false

  constructor(delivery: Delivery, stage: Stage) {
    super()
    this.delivery = delivery
    this.stage = stage
  }

  override release(): boolean {
    if (this.open) {
      this.stage.oracle.acked(this.delivery)
      this.stopRenewing()
    }
    return super.release()
  }

  override fail(): boolean {
    if (this.open) {
      if (this.renewing) this.stage.oracle.broken('an input that is renewed was given up')
      this.stage.oracle.failed(this.delivery, 'failed or given up')
      this.stopRenewing()
    }
    return super.fail()
  }

  stopRenewing(): void {
    if (this.renewing) this.stage.oracle.renews(this.delivery.message.roots, -1)
    this.renewing = false
  }
}

export class SimulatedTask implements Task<unknown, unknown> {
  readonly #stage: Stage
  #context!: RunnerContext
  readonly #kept: KeptInput[] = []
  readonly #outlets = new Map<string, PortOutlet>()
  #sender!: Sender
  #clockUs = 0
  #wantsMessage = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  onStart(context: unknown): void {
    this.#context = context as RunnerContext
    this.#sender = new Sender(this.#context, this.#stage)
    for (const port of PORTS) {
      const outlet = this.#context.outlet(port) as PortOutlet | undefined
      if (outlet === undefined) continue
      this.#sender.watch(outlet)
      this.#outlets.set(port, outlet)
    }
  }

  onClock(clockUs: number): void {
    if (clockUs < this.#clockUs) this.#stage.oracle.broken('(3) onClock went back')
    this.#clockUs = clockUs
  }

  onMessage(): void {
    if (this.#wantsMessage-- <= 0) this.#stage.oracle.broken('a message to self came unasked')
    this.#emitUnanchored(true)
  }

  onNext(value: unknown): void | Promise<void> {
    const { oracle, chance, scenario, calm } = this.#stage
    this.#stage.checkFlow(this.#context.taskId)
    const delivery = oracle.taken(numberOf(value), this.#context.taskId)
    if (this.#context.sourceTask !== delivery.from) oracle.broken('the source task of an input')
    const { user } = scenario
    if (chance.happens(0.05)) {
      this.#wantsMessage++
      this.#context.self('act')
    }
    if (!calm && chance.happens(user.never)) return this.#keepForEver(delivery)
    if (chance.happens(user.hold)) return this.#hold(delivery)
    if (!calm && chance.happens(user.renew)) return this.#holdAndRenew(delivery)
    if (chance.happens(user.async)) return this.#answerLater(delivery)
    this.#emits(delivery, false)
    this.#touchKept(false)
    if (!calm && chance.happens(user.fail)) {
      oracle.failed(delivery, 'thrown')
      throw new Error('simulated: a throw')
    }
    oracle.acked(delivery)
    return undefined
  }

  // ---- emits

  #emits(delivery: Delivery, exempt: boolean): void {
    const { chance } = this.#stage
    for (let n = chance.pick([0, 0, 1, 1, 1, 2, EMITS_PER_INPUT_MAX]); n > 0; n--) {
      this.#emit([delivery], exempt, (outlet, port, value) => {
        if (port === 'direct') {
          this.#context.outputTo(chance.pick(this.#consumers(port)), value, port)
        } else if (chance.happens(0.5)) this.#context.output(value, port)
        else outlet.emit(value, this.#context.slot)
      })
    }
    if (chance.happens(0.1)) this.#emitUnanchored(exempt)
  }

  #emitUnanchored(exempt: boolean): void {
    this.#emit([], exempt, (outlet, port, value) => {
      if (port === 'direct') outlet.emitTo(this.#stage.chance.pick(this.#consumers(port)), value, 0)
      else outlet.emit(value, 0)
    })
  }

  #emitAnchored(kept: readonly KeptInput[], exempt: boolean): void {
    const context = this.#context
    if (new Set(kept.map(k => k.slot).filter(slot => slot !== 0)).size > 1)
      this.#stage.oracle.count('joins')
    this.#emit(
      kept.map(k => k.delivery),
      exempt,
      (outlet, port, value) => {
        if (port === 'direct') {
          context.emitAnchoredTo(
            outlet,
            this.#stage.chance.pick(this.#consumers(port)),
            value,
            kept,
          )
        } else context.emitAnchored(outlet, value, kept)
      },
    )
  }

  #emit(
    anchors: readonly Delivery[],
    exempt: boolean,
    go: (outlet: PortOutlet, port: string, value: unknown) => void,
  ): void {
    const { chance, oracle, scenario } = this.#stage
    if (this.#outlets.size === 0) return
    const ttl = Math.min(scenario.ttl, ...anchors.map(a => a.message.ttl)) - 1
    const roots = new Set<Root>(anchors.flatMap(a => a.message.roots))
    // Nothing bounds what has no root but this.
    const rootless = anchors.length === 0 || !oracle.tracked
    if (rootless && (this.#stage.calm || oracle.messages.length > ROOTLESS_MAX)) return
    if (ttl <= 0 || [...roots].some(r => r.deliveries.length > DELIVERIES_MAX)) return
    const [port, outlet] = chance.pick([...this.#outlets])
    const message = oracle.message(oracle.tracked ? roots : [], anchors.length === 0 ? 1 : ttl)
    this.#sender.message = message
    this.#sender.exempt = exempt
    go(outlet, port, payloadOf(message.number))
    this.#sender.message = undefined
  }

  #consumers(port: string): readonly number[] {
    return this.#stage.consumers(this.#context.taskId, port)
  }

  // ---- inputs that are kept

  #keepForEver(delivery: Delivery): void {
    delivery.stuck = true
    this.#kept.push(this.#context.hold(new KeptInput(delivery, this.#stage)) as KeptInput)
    this.#stage.oracle.count('stuck')
  }

  #hold(delivery: Delivery): void {
    const { chance } = this.#stage
    const kept = this.#context.hold(new KeptInput(delivery, this.#stage)) as KeptInput
    this.#kept.push(kept)
    if (chance.happens(0.3)) this.#emitAnchored([kept], false)
    this.#touchKept(false)
    const delayMs = chance.pick([0, 5, 50, 500])
    this.#context.scheduleOnce(delayMs, () => {
      if (chance.happens(0.3)) this.#touchKept(true)
      this.#letGo(kept)
    })
  }

  // Some other turn of this task: emits anchored to several kept inputs, lets some of them go.
  #touchKept(exempt: boolean): void {
    const { chance } = this.#stage
    const kept = this.#kept.filter(k => k.open && !k.delivery.stuck)
    if (kept.length === 0 || chance.happens(0.5)) return
    const some = kept.filter(() => chance.happens(0.4)).slice(0, 4)
    if (some.length > 0 && chance.happens(0.6)) this.#emitAnchored(some, exempt)
    for (const one of some) if (chance.happens(0.5)) this.#letGo(one)
    const closed = some.find(k => !k.open)
    if (closed !== undefined) this.#mustRefuse(closed)
    if (this.#kept.length > 64)
      this.#kept.splice(0, this.#kept.length, ...this.#kept.filter(k => k.open))
  }

  #letGo(kept: KeptInput): void {
    const { chance, calm, scenario, oracle } = this.#stage
    if (!kept.open) return
    kept.stopRenewing()
    if (!calm && chance.happens(scenario.user.fail)) kept.fail()
    else kept.release()
    if (chance.happens(0.1) && (kept.release() || kept.fail())) oracle.broken('let go twice')
  }

  #mustRefuse(closed: KeptInput): void {
    for (const outlet of this.#outlets.values()) {
      try {
        this.#context.emitAnchored(outlet, 0, [closed])
      } catch {
        continue
      }
      this.#stage.oracle.broken('an emit was anchored to an input that was let go')
    }
  }

  // Holds much longer than the time-out, and renews all the while, off its turns.
  #holdAndRenew(delivery: Delivery): void {
    const { chance, scenario, oracle } = this.#stage
    const periodMs = scenario.profile.timeoutMs || 2000
    const kept = this.#context.hold(new KeptInput(delivery, this.#stage)) as KeptInput
    this.#kept.push(kept)
    kept.renewing = true
    oracle.renews(delivery.message.roots, 1)
    const untilMs = this.#stage.now() + periodMs * chance.between(0.5, 4)
    const again = () => {
      if (!kept.open) return
      if (this.#stage.now() >= untilMs) {
        this.#letGo(kept)
        return
      }
      oracle.count('renewals')
      kept.renew()
      this.#context.after(periodMs / RENEWALS_PER_PERIOD, again)
    }
    again()
  }

  #answerLater(delivery: Delivery): Promise<void> {
    const { chance, oracle, scenario } = this.#stage
    this.#emits(delivery, false)
    return new Promise((resolve, reject) => {
      this.#context.after(chance.pick([0, 1, 30]), () => {
        this.#emits(delivery, true)
        if (!this.#stage.calm && chance.happens(scenario.user.fail)) {
          oracle.failed(delivery, 'rejected')
          reject(new Error('simulated: a rejection'))
        } else {
          oracle.acked(delivery)
          resolve()
        }
      })
    })
  }

  /** The end is near: whatever was kept for ever is let go. */
  letAllGo(): void {
    for (const kept of this.#kept) if (kept.open) kept.release()
  }
}
