// Executors, tasks and the links between them in a model world: the part that the transport and the executor play in
// the product. Rings of two places and positions, ordinals and frame numbers that begin just below their wrap make
// growth, moving aside and wrapping everyday events.
import { EngineError } from '../../../../src/base/errors.ts'
import { InLink, type Progress } from '../../../../src/progress/in-link.ts'
import { OutLink } from '../../../../src/progress/out-link.ts'
import { RootTable } from '../../../../src/progress/root-table.ts'
import { NONE, type Slot, type SlotLedger } from '../../../../src/progress/slot-ledger.ts'
import type { SourceClock } from '../../../../src/progress/source-clock.ts'
import { type Mutation, makeLedger, makeSourceClock } from './mutations.ts'
import { Oracle, type Root, type Tuple, Violation } from './oracle.ts'

const FIRST_POSITION = 0x7ffffff8
const FIRST_FRAME = 0xfffffffe
const RING = { places: 2, placesMax: 4 }
const PASSED_ON_MAX = 20

export interface Task {
  id: number
  isSource: boolean
  executor: Executor
  inbox: { tuple: Tuple; slot: Slot; executor: Executor }[]
  next: number[]
  // A source's own.
  roots: RootTable
  clock: SourceClock
  skewUs: number
  told: number
  /** Admitted by the app master. */
  ready: boolean
}

/** An input in user code. */
export interface Input {
  tuple: Tuple
  slot: Slot
  executor: Executor
  task: Task
  open: boolean
  /** The rotation it was taken or renewed in. */
  born: number
  /** User code will never answer it. */
  never: boolean
}

interface Message {
  task: Task
  tuple: Tuple
  position: number | undefined
}

interface Outbound {
  link: OutLink
  session: string
  to: number
  buffer: Message[]
  passed: Tuple[]
}

interface Inbound {
  link: InLink
  session: string
  from: number
  number: number
  passed: Tuple[]
}

interface DataFrame {
  session: string
  number: number
  messages: Message[]
}

type BackFrame =
  | { kind: 'progress'; session: string; number: number; progress: Progress }
  | { kind: 'gap'; session: string }
  | { kind: 'renew'; session: string; positions: number[] }

export interface Channel {
  from: Executor
  to: Executor
  data: DataFrame[]
  back: BackFrame[]
}

export interface Executor {
  id: number
  incarnation: number
  sessions: number
  ledger: SlotLedger
  outs: Map<number, Outbound>
  ins: Map<number, Inbound>
  /** In links that are open or have slots, and the most there were at once. */
  links: InLink[]
  linksMax: number
  held: Input[]
}

export class Cluster {
  readonly oracle = new Oracle()
  readonly executors: Executor[] = []
  readonly tasks: Task[] = []
  readonly channels = new Map<string, Channel>()
  readonly mutation: Mutation
  fences = 0
  private readonly spanMax: number | undefined

  constructor(mutation: Mutation, executors: number, spanMax: number | undefined) {
    this.mutation = mutation
    this.spanMax = spanMax
    for (let id = 0; id < executors; id++) {
      const executor = { id, incarnation: 0, sessions: 0 } as Executor
      this.boot(executor)
      this.executors.push(executor)
    }
  }

  boot(executor: Executor): void {
    executor.incarnation++
    executor.outs = new Map()
    executor.ins = new Map()
    executor.links = []
    executor.linksMax = 0
    executor.held = []
    executor.ledger = makeLedger(this.mutation, {
      rootsDone: (source, places, n) => this.rootsDone(source, places, n),
      rootFailed: (source, place) => this.rootFailed(source, place),
      renewRoot: (source, place) => this.tasks[source]!.roots.renew(place),
    })
  }

  addTask(isSource: boolean, executor: Executor, skewUs: number): void {
    const task = { id: this.tasks.length, isSource, executor, inbox: [], next: [] }
    const roots = new RootTable(executor.ledger, task.id)
    const source = { roots, clock: makeSourceClock(this.mutation, 0), skewUs }
    this.tasks.push({ ...task, ...source, told: 0, ready: true })
  }

  /** A source's memory is gone with its executor, or with itself. */
  resetSource(task: Task): void {
    task.roots = new RootTable(task.executor.ledger, task.id)
  }

  private rootsDone(source: number, places: Int32Array, n: number): true {
    const { roots } = this.tasks[source]!
    for (const place of places.subarray(0, n)) {
      const root = this.openRoot(source, place)
      roots.done(place)
      roots.take()
      this.oracle.end(root, 'done')
    }
    return true
  }

  private rootFailed(source: number, place: number): void {
    const { roots } = this.tasks[source]!
    const root = this.openRoot(source, place)
    roots.fail(place)
    roots.take()
    this.oracle.end(root, 'failed')
  }

  private openRoot(source: number, place: number): Root {
    const root = this.tasks[source]!.roots.idOf(place) as Root | undefined
    if (root === undefined) {
      throw new Violation(2, `source ${source} was told twice of its root ${place}`)
    }
    return root
  }

  // ---- delivering

  /** One tuple for each target; all of them on one slot, or none. */
  send(executor: Executor, targets: readonly [Task, Tuple][], slot: Slot): void {
    for (const [task, tuple] of targets) {
      if (task.executor === executor) {
        executor.ledger.add(slot)
        task.inbox.push({ tuple, slot, executor })
      } else {
        const out = this.outTo(executor, task.executor.id)
        const position = slot === NONE ? undefined : executor.ledger.send(out.link, slot)
        out.buffer.push({ task, tuple, position })
        out.passed.push(tuple)
      }
    }
  }

  private outTo(executor: Executor, to: number): Outbound {
    let out = executor.outs.get(to)
    if (out !== undefined && !out.link.closed) return out
    const link = new OutLink(FIRST_POSITION, RING)
    link.nextFrame = FIRST_FRAME
    link.nextProgress = FIRST_FRAME
    const session = `${executor.id}.${executor.incarnation}.${executor.sessions++}`
    out = { link, session, to, buffer: [], passed: [] }
    executor.outs.set(to, out)
    return out
  }

  private channel(from: Executor, to: Executor): Channel {
    const key = `${from.id}>${to.id}`
    let channel = this.channels.get(key)
    if (channel === undefined) {
      channel = { from, to, data: [], back: [] }
      this.channels.set(key, channel)
    }
    return channel
  }

  flushData(executor: Executor, out: Outbound): void {
    if (out.link.closed || (out.buffer.length === 0 && out.link.sent.open === 0)) return
    const { data } = this.channel(executor, this.executors[out.to]!)
    data.push({ session: out.session, number: out.link.takeFrame(), messages: out.buffer })
    out.buffer = []
  }

  flushBack(executor: Executor, inn: Inbound, asked: boolean): void {
    const { link, session } = inn
    if (link.closed) return
    const { back } = this.channel(this.executors[inn.from]!, executor)
    const positions = link.takeRenewed()
    if (positions.length > 0 && this.mutation !== 'renewals stop at the first hop') {
      back.push({ kind: 'renew', session, positions })
    }
    if (!link.dirty && !asked) return
    const number = link.takeProgressNumber()
    back.push({ kind: 'progress', session, number, progress: link.takeProgress() })
  }

  // ---- receiving

  receiveData(channel: Channel): void {
    const frame = channel.data.shift()!
    const executor = channel.to
    const inn = this.acceptSession(channel, frame)
    if (inn === undefined) {
      for (const { tuple } of frame.messages) this.oracle.lost(tuple)
      channel.back.push({ kind: 'gap', session: frame.session })
      return
    }
    for (const { task, tuple, position } of frame.messages) {
      for (const root of tuple.roots) root.visited.add(executor.id)
      if (position !== undefined) this.expectFoot(inn, position, tuple)
      const slot = position === undefined ? NONE : executor.ledger.arrival(inn.number, position)
      if (task.executor === executor) task.inbox.push({ tuple, slot, executor })
      else {
        // The task has moved meanwhile: its message goes on like any other output.
        if (++tuple.passedOn > PASSED_ON_MAX) throw new Violation(4, 'passed on for ever')
        this.send(executor, [[task, tuple]], slot)
        executor.ledger.release(slot)
      }
    }
  }

  private acceptSession(channel: Channel, frame: DataFrame): Inbound | undefined {
    const executor = channel.to
    let inn = executor.ins.get(channel.from.id)
    if (inn === undefined || inn.session !== frame.session) {
      if (frame.number !== FIRST_FRAME) return undefined
      if (inn !== undefined) this.closeIn(executor, inn)
      inn = this.openIn(executor, channel.from.id, frame.session)
    }
    if (inn.link.closed) return undefined
    if (inn.link.acceptFrame(frame.number) || this.mutation === 'no frame numbers') return inn
    this.closeIn(executor, inn)
    return undefined
  }

  private openIn(executor: Executor, from: number, session: string): Inbound {
    const link = new InLink(FIRST_POSITION, {
      words: 1,
      ...(this.spanMax === undefined ? {} : { spanMax: this.spanMax }),
    })
    link.nextFrame = FIRST_FRAME
    link.nextProgress = FIRST_FRAME
    executor.links = executor.links.filter(old => !old.closed || old.liveSlots > 0)
    executor.links.push(link)
    executor.linksMax = Math.max(executor.linksMax, executor.links.length)
    const number = executor.ledger.openIn(link)
    if (number >= executor.linksMax && this.mutation === undefined) {
      throw new Violation(
        5,
        `in link number ${number}, of ${executor.linksMax} ever in use at once`,
      )
    }
    const inn = { link, session, from, number, passed: [] }
    executor.ins.set(from, inn)
    return inn
  }

  private closeIn(executor: Executor, inn: Inbound): void {
    if (!inn.link.closed) executor.ledger.closeIn(inn.number)
  }

  // A full in link fails what is open at its foot, which is a cause.
  private expectFoot({ link, passed }: Inbound, position: number, tuple: Tuple): void {
    if (((position - link.through) | 0) >= link.spanMax) {
      for (const old of passed) this.oracle.mayFail(old)
    }
    passed.push(tuple)
  }

  receiveBack(channel: Channel): void {
    const frame = channel.back.shift()!
    const executor = channel.from
    const out = executor.outs.get(channel.to.id)
    if (out === undefined) return
    const ours = frame.session === out.session
    if (!ours && this.mutation !== 'no session check') return
    if (frame.kind === 'gap') {
      if (ours) this.fence(executor, out)
    } else if (frame.kind === 'renew') {
      for (const position of frame.positions) executor.ledger.renewSent(out.link, position)
    } else {
      const due = out.link.acceptProgress(frame.number) || this.mutation === 'no progress numbers'
      if (ours && !due) this.fence(executor, out)
      else this.applyProgress(executor, out, frame.progress)
    }
  }

  private applyProgress(executor: Executor, out: Outbound, progress: Progress): void {
    try {
      executor.ledger.applyProgress(out.link, progress)
    } catch (error) {
      const foreign = error instanceof EngineError && error.code === 'FRAME_INVALID'
      if (!foreign || this.mutation === undefined) throw error
      this.fence(executor, out)
    }
  }

  fence(executor: Executor, out: Outbound): void {
    if (out.link.closed) return
    this.fences++
    for (const tuple of out.passed) this.oracle.mayFail(tuple)
    for (const { tuple } of out.buffer) this.oracle.lost(tuple)
    out.buffer = []
    executor.ledger.fence(out.link)
  }
}
