// The executors of a world: each an ExecutorHost with an environment and a network endpoint of its own, so that it can
// die at any moment as a process does. What the app master asks and hears takes time, and ends with the process.

import type { Application } from '../../src/app/application.ts'
import type { ExecutorEvents } from '../../src/app/executor.ts'
import { type ExecutorControl, ExecutorHost } from '../../src/app/executor-host.ts'
import type { LaunchedExecutor, Launcher } from '../../src/app/launcher.ts'
import { EngineError } from '../../src/base/errors.ts'
import type { InLink } from '../../src/progress/in-link.ts'
import type { Emitter } from '../../src/task/flow.ts'
import { FaultyNetwork } from '../../src/transport/faulty-transport.ts'
import { FRAME_HEAD_BYTES, FrameKind } from '../../src/transport/frame.ts'
import type { Link, LinkHandler, Transport } from '../../src/transport/link.ts'
import type { Oracle } from './oracle.ts'
import type { Scenario } from './scenario.ts'
import { type Chance, ProcessEnvironment, type VirtualTime } from './virtual-time.ts'

const CONTROL_DELAY_MS = 20
const BOOT_MS = 200
const NOTICE_MS = 400

/** One executor, alive or dead. */
export class SimulatedProcess {
  readonly id: number
  readonly slot: number
  readonly environment: ProcessEnvironment
  readonly host: ExecutorHost
  end: (reason: string) => void = () => undefined
  readonly ended: Promise<string>
  readonly gone: (() => void)[] = []
  started = false
  /** By number: the last in link that had it. */
  readonly links = new Map<number, InLink>()

  constructor(id: number, slot: number, environment: ProcessEnvironment, host: ExecutorHost) {
    this.id = id
    this.slot = slot
    this.environment = environment
    this.host = host
    this.ended = new Promise(resolve => {
      this.end = resolve
    })
  }
}

export interface ClusterParts {
  readonly scenario: Scenario
  readonly application: Application
  readonly time: VirtualTime
  readonly chance: Chance
  readonly oracle: Oracle
}

/** Streams greet first or not at all: a greeting is not lost alone. All other frames are fair game. */
class WatchedNetwork extends FaultyNetwork {
  readonly oracle: Oracle
  slotOf: (endpoint: string) => number = () => 0

  constructor(parts: ClusterParts) {
    super({ random: parts.chance.next, time: parts.time })
    this.oracle = parts.oracle
  }

  override carry(...[route, parcel, arrive]: Parameters<FaultyNetwork['carry']>): void {
    const { loss, duplication, reordering } = this.faults
    const kind = 'frame' in parcel ? parcel.frame[FRAME_HEAD_BYTES - 1] : undefined
    if (kind === undefined || kind === FrameKind.HELLO) {
      Object.assign(this.faults, { loss: 0, duplication: 0, reordering: 0 })
      super.carry(route, parcel, arrive)
      Object.assign(this.faults, { loss, duplication, reordering })
      return
    }
    this.oracle.count('frames')
    if (loss + duplication + reordering > 0)
      this.oracle.fault(this.slotOf(route.from), this.slotOf(route.to))
    super.carry(route, parcel, arrive)
  }
}

export class Cluster implements Launcher {
  readonly network: WatchedNetwork
  /** By slot: the executor that lives there, or is starting. */
  readonly live: (SimulatedProcess | undefined)[] = []
  readonly #parts: ClusterParts
  readonly #slotOf = new Map<number, number>()
  /** When the last cut or stall is over. */
  disturbedUntilMs = 0
  /** Which slot a fresh executor takes. */
  slotOfFresh: (executorId: number) => number = id => id - 1
  onPublish: (clockUs: number) => void = () => undefined
  instrument: (process: SimulatedProcess) => void = () => undefined

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.network = new WatchedNetwork(parts)
    this.network.slotOf = endpoint => this.slot(Number(endpoint.slice(1)))
  }

  slot(executorId: number): number {
    return this.#slotOf.get(executorId) ?? 0
  }

  async launch(
    executorId: number,
    token: string,
    events: ExecutorEvents,
  ): Promise<LaunchedExecutor> {
    const { time, chance, scenario, application } = this.#parts
    const slot = this.slotOfFresh(executorId)
    this.#slotOf.set(executorId, slot)
    const environment = new ProcessEnvironment(time, chance, this.skewUs())
    environment.lateMs = scenario.faults.lateMs * chance.next()
    const process: SimulatedProcess = new SimulatedProcess(
      executorId,
      slot,
      environment,
      new ExecutorHost({
        environment,
        application,
        executorId,
        token,
        firstNumber: scenario.firstNumber,
        transport: scenario.executors === 1 ? undefined : this.#transport(executorId, environment),
        events: this.#delayed(events, () => process),
      }),
    )
    this.live[slot] = process
    await new Promise<void>(resolve => {
      time.after(chance.next() * BOOT_MS, resolve)
    })
    const ended = process.ended
    return {
      control: this.#control(process),
      pid: undefined,
      ended,
      kill: () => {
        if (!environment.killed) this.crash(process)
      },
    }
  }

  skewUs(): number {
    const { chance, scenario } = this.#parts
    return scenario.faults.clockSteps ? Math.floor(chance.between(-2e6, 2e6)) : 0
  }

  // A dead process handles nothing, though its peers have not noticed yet.
  #transport(executorId: number, environment: ProcessEnvironment): Transport {
    const inner = this.network.transport(`e${executorId}`)
    const alive = (make: (link: Link) => LinkHandler) => (link: Link) => {
      const handler: LinkHandler | undefined = environment.killed ? undefined : make(link)
      return {
        onFrame: (kind: number, body: Buffer) => {
          if (!environment.killed) handler?.onFrame(kind, body)
        },
        onClose: (reason: Error | undefined) => {
          if (!environment.killed) handler?.onClose(reason)
        },
        onDrain: () => undefined,
      }
    }
    return {
      listen: accept => inner.listen(alive(accept)),
      connect: (address, handler) => inner.connect(address, alive(handler)),
      close: () => inner.close(),
    }
  }

  // ---- what goes between the app master and an executor: late, in order, and not after the end

  #later(lane: { lastMs: number }, fn: () => void): void {
    const { time, chance } = this.#parts
    lane.lastMs = Math.max(lane.lastMs, time.now() + chance.next() * CONTROL_DELAY_MS)
    time.after(lane.lastMs - time.now(), fn)
  }

  #control(process: SimulatedProcess): ExecutorControl {
    const there = { lastMs: 0 }
    const back = { lastMs: 0 }
    const { host, environment } = process
    const ask = <T>(call: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        process.gone.push(() => reject(new EngineError('EXECUTOR_DIED', 'simulated: it is gone')))
        this.#later(there, () => {
          if (environment.killed) return
          call().then(
            answer => this.#later(back, () => resolve(answer)),
            error => this.#later(back, () => reject(error)),
          )
        })
      })
    return {
      prepare: () => ask(() => host.prepare()),
      start: order =>
        ask(() => {
          const started = host.start(order)
          this.instrument(process)
          return started
        }),
      go: (...args) => ask(() => host.go(...args)),
      replacePeer: (dead, fresh) => {
        this.#parts.oracle.fault(process.slot, this.slotOfFresh(fresh))
        return ask(() => {
          this.#parts.oracle.fault(process.slot, this.slotOfFresh(fresh))
          return host.replacePeer(dead, fresh)
        })
      },
      replan: plan => ask(() => host.replan(plan)),
      stalls: () => ask(() => host.stalls()),
      setActive: active => ask(() => host.setActive(active)),
      suspendSources: suspended => ask(() => host.suspendSources(suspended)),
      setCredentials: credentials => ask(() => host.setCredentials(credentials)),
      failOpen: () => ask(() => host.failOpen()),
      publish: clockUs => {
        this.onPublish(clockUs)
        return ask(() => host.publish(clockUs))
      },
      status: () => ask(() => host.status()),
      close: () =>
        ask(async () => {
          await host.close()
          this.crash(process)
        }),
    }
  }

  #delayed(events: ExecutorEvents, process: () => SimulatedProcess): ExecutorEvents {
    const lane = { lastMs: 0 }
    const tell = (fn: () => void) => {
      if (!process().environment.killed) this.#later(lane, fn)
    }
    return {
      error: (task, processor, error) => {
        if (!process().environment.killed) this.#judge(error)
        tell(() => events.error(task, processor, error))
      },
      log: (...args) => tell(() => events.log(...args)),
      metric: (...args) => tell(() => events.metric(...args)),
      clock: clocks => tell(() => events.clock(clocks)),
      positions: positions => tell(() => events.positions(positions)),
      overflow: overflowing => {
        if (overflowing) this.#parts.oracle.count('overflows')
        tell(() => events.overflow(overflowing))
      },
    }
  }

  // What may be told: what user code threw, and links that faults have broken.
  #judge(error: Error): void {
    if (error.message.startsWith('simulated:')) return
    if (error instanceof EngineError && error.code === 'LINK_LOST') return
    this.#parts.oracle.broken(`an unexpected error was told: ${error.stack ?? error.message}`)
  }

  // ---- faults

  /** The process is killed. Its peers, and the app master, notice some time later, in any order. */
  crash(process: SimulatedProcess): void {
    const { time, chance, oracle } = this.#parts
    const { environment, slot } = process
    if (environment.killed) return
    environment.killed = true
    oracle.note('crash', process.id)
    if (this.live[slot] === process) this.live[slot] = undefined
    const faults = () => {
      for (let other = 0; other < this.#parts.scenario.executors; other++) oracle.fault(slot, other)
    }
    faults()
    time.after(chance.next() * NOTICE_MS, () => {
      faults()
      this.network.kill(`e${process.id}`)
    })
    time.after(chance.next() * NOTICE_MS, () => {
      faults()
      process.end('simulated: killed')
      for (const reject of process.gone.splice(0)) reject()
    })
  }

  /** The process does nothing for a while; its peers may give it up. */
  stall(process: SimulatedProcess): void {
    const { time, chance, oracle, scenario } = this.#parts
    const faults = () => {
      for (let other = 0; other < scenario.executors; other++) oracle.fault(process.slot, other)
    }
    const forMs = chance.pick([200, 3000, 12_000])
    oracle.count('stalls')
    oracle.note('stall', process.id)
    const { environment } = process
    environment.stalledUntilMs = Math.max(environment.stalledUntilMs, time.now() + forMs)
    this.disturbedUntilMs = Math.max(this.disturbedUntilMs, time.now() + forMs)
    faults()
    time.after(forMs, faults)
  }

  /** The links between two executors break, or are cut off for a while. */
  disturb(kind: 'sever' | 'cut', a: SimulatedProcess, b: SimulatedProcess): void {
    const { time, chance, oracle } = this.#parts
    const names = [`e${a.id}`, `e${b.id}`] as const
    const faults = () => oracle.fault(a.slot, b.slot)
    oracle.note(kind, a.id, b.id)
    faults()
    if (kind === 'sever') {
      this.network.sever(...names)
      return
    }
    this.network.cut(...names, chance.happens(0.5) ? 'hold' : 'lose')
    const forMs = chance.pick([10, 500, 3000, 12_000])
    this.disturbedUntilMs = Math.max(this.disturbedUntilMs, time.now() + forMs)
    time.after(forMs, () => {
      faults()
      this.network.heal(...names)
    })
  }
}

/** Counts how often an emitter had to wait. */
export function watchBlocking(emitter: Emitter, oracle: Oracle): void {
  const block = emitter.block.bind(emitter)
  emitter.block = target => {
    const before = emitter.blockedOn
    block(target)
    if (before === 0 && emitter.blockedOn > 0) oracle.count('blocked')
  }
}
