// Finds out when a task has seen every tuple of a request: Storm's CoordinatedBolt. Each task counts what it emits per request and
// task, and, when the request is finished here, tells every task downstream how many tuples it had for it, on a direct stream of
// its own. A task has finished a request when all tasks upstream have told (or the only one that had it) and as many tuples were
// acked as were told of; the bolt inside then hears `finishedId`.
//
// Beyond Storm: one tuple of each request stays open until the request is finished here. Should this task, its child process or
// its executor die, that tuple fails, and with it the request, at once instead of by a time-out.
import { asError } from 'gearpump/spi'
import {
  type Bolt,
  type Conf,
  FailedException,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type TopologyContext,
  type Tuple,
  type Values,
} from '../component/api.ts'
import type { ForeseeingCollector, Foresight } from '../component/foresight.ts'
import type { LossHearingCollector } from '../component/shell-bolt.ts'
import { isTick } from '../component/tuple.ts'
import type { FinishedCallback, TimeoutCallback } from './batch-bolt.ts'
import { ExpiringMap } from './expiring-map.ts'
import { requestKey } from './request-key.ts'

/** The stream of counts, as Storm names it since 1.0; before, it began with `backtype`. */
export const COORDINATED_STREAM = 'org.apache.storm.coordination.CoordinatedBolt/coord-stream'

const isCoordinated = (stream: string) => stream.endsWith('.CoordinatedBolt/coord-stream')

/** Requests that one task follows at once. */
const REQUESTS_MAX = 100_000

export interface CoordinatedOptions {
  /** Who tells counts: `single` if only one task of the component has a request, `all` if each tells. None: a first bolt. */
  readonly sources?: ReadonlyMap<string, 'single' | 'all'>
  /** A stream that brings each id once; a request is not finished before. */
  readonly idStream?: { readonly component: string; readonly stream: string } | undefined
  readonly nowMs?: () => number
}

/** What a task knows of a request. */
interface Tracking {
  readonly id: unknown
  reports: number
  expected: number
  received: number
  idCame: boolean
  failed: boolean
  finishing: boolean
  /** Tuples emitted, by task. */
  readonly emitted: Map<number, number>
  /** Acked or failed with the request. */
  readonly held: Tuple[]
}

type TupleKind = 'regular' | 'id' | 'counts'

export class CoordinatedBolt implements Bolt {
  readonly #delegate: Bolt & Partial<FinishedCallback & TimeoutCallback>
  readonly #sources: ReadonlyMap<string, 'single' | 'all'>
  readonly #idStream: CoordinatedOptions['idStream']
  readonly #nowMs: () => number
  #collector!: OutputCollector
  #tracked!: ExpiringMap<unknown, Tracking>
  #targets: readonly number[] = []
  #stream = COORDINATED_STREAM
  #reportsWanted = 0

  constructor(delegate: Bolt, options: CoordinatedOptions = {}) {
    this.#delegate = delegate
    this.#sources = options.sources ?? new Map()
    this.#idStream = options.idStream
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): void | Promise<void> {
    this.#collector = collector
    const secs = Number(conf['topology.message.timeout.secs'] ?? 30)
    this.#tracked = new ExpiringMap({
      periodMs: secs * 1000,
      entriesMax: REQUESTS_MAX,
      nowMs: this.#nowMs,
      onExpire: (_key, track) => this.#failRequest(track),
    })
    this.#stream = [...context.streams.keys()].find(isCoordinated) ?? COORDINATED_STREAM
    const consumers = context.targets.get(this.#stream)?.keys() ?? []
    this.#targets = [...consumers].flatMap(id => context.componentTasks(id))
    this.#reportsWanted = 0
    for (const [component, reports] of this.#sources) {
      this.#reportsWanted += reports === 'single' ? 1 : context.componentTasks(component).length
    }
    return this.#delegate.prepare(conf, context, this.#counting(collector))
  }

  execute(tuple: Tuple): void | Promise<void> {
    if (isTick(tuple)) return this.#delegate.execute(tuple)
    const track = this.#trackOf(tuple.values[0])
    if (track.failed) {
      this.#collector.fail(tuple)
      return undefined
    }
    const kind = this.#kindOf(tuple)
    if (kind === 'regular') return this.#executeRegular(tuple)
    if (kind === 'id') track.idCame = true
    else {
      track.reports++
      track.expected += Number(tuple.values[1])
    }
    track.held.push(tuple)
    return this.#look(track, tuple)
  }

  #executeRegular(tuple: Tuple): void | Promise<void> {
    const failed = (error: unknown) => {
      // Anything else is this task's failure, and with it that of all it holds.
      if (!(error instanceof FailedException)) throw error
      this.#fail(tuple)
    }
    try {
      const result = this.#delegate.execute(tuple)
      return result === undefined ? undefined : result.catch(failed)
    } catch (error) {
      return failed(error)
    }
  }

  cleanup(): void | Promise<void> {
    return this.#delegate.cleanup?.()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    this.#delegate.declareOutputFields(declarer)
    declarer.declareStream(COORDINATED_STREAM, ['id', 'count'], true)
  }

  getComponentConfiguration(): Conf {
    return this.#delegate.getComponentConfiguration?.() ?? {}
  }

  #kindOf({ sourceComponent, sourceStream }: Tuple): TupleKind {
    const ids = this.#idStream
    if (ids?.component === sourceComponent && ids.stream === sourceStream) return 'id'
    return this.#sources.size > 0 && isCoordinated(sourceStream) ? 'counts' : 'regular'
  }

  #trackOf(id: unknown): Tracking {
    const key = requestKey(id)
    const known = this.#tracked.get(key)
    if (known !== undefined) return known
    const track: Tracking = {
      id,
      reports: 0,
      expected: 0,
      received: 0,
      idCame: this.#idStream === undefined,
      failed: false,
      finishing: false,
      emitted: new Map(),
      held: [],
    }
    this.#tracked.set(key, track)
    return track
  }

  #ack(tuple: Tuple): void {
    const track = isTick(tuple) ? undefined : this.#tracked.get(requestKey(tuple.values[0]))
    if (track === undefined || track.failed) {
      if (track === undefined) this.#collector.ack(tuple)
      else this.#collector.fail(tuple)
      return
    }
    track.received++
    // The first stays open with the request; one is enough.
    if (track.held.length === 0) track.held.push(tuple)
    else this.#collector.ack(tuple)
    void this.#look(track, tuple)
  }

  #fail(tuple: Tuple): void {
    const track = isTick(tuple) ? undefined : this.#tracked.get(requestKey(tuple.values[0]))
    this.#collector.fail(tuple)
    if (track !== undefined) this.#failRequest(track)
  }

  // It stays known for a while, so that its later tuples fail as well.
  #failRequest(track: Tracking): void {
    if (track.failed) return
    track.failed = true
    for (const tuple of track.held.splice(0)) this.#collector.fail(tuple)
    this.#delegate.timeoutId?.(track.id)
  }

  // Is the request finished here? `tuple` is the one after which it might be.
  #look(track: Tracking, tuple: Tuple): void | Promise<void> {
    if (track.failed || track.finishing) return undefined
    const told = this.#sources.size === 0 || track.reports >= this.#reportsWanted
    if (!told || (this.#sources.size > 0 && track.expected !== track.received)) return undefined
    if (!track.idCame) {
      // Most likely it is another task that is to be told the id, and nothing of this request comes here: it must not be kept open.
      if (track.received === 0) this.#ackHeld(track)
      return undefined
    }
    track.finishing = true
    try {
      const done = this.#delegate.finishedId?.(track.id)
      if (done !== undefined) {
        return done
          .then(() => this.#finish(track, tuple))
          .catch((error: unknown) => this.#finishFailed(track, error))
      }
      this.#finish(track, tuple)
    } catch (error) {
      this.#finishFailed(track, error)
    }
    return undefined
  }

  #finish(track: Tracking, tuple: Tuple): void {
    if (track.failed) return
    const [anchor = tuple] = track.held
    for (const task of this.#targets) {
      const count = track.emitted.get(task) ?? 0
      this.#collector.emitDirect(task, [track.id, count], anchor, this.#stream)
    }
    this.#tracked.delete(requestKey(track.id))
    this.#ackHeld(track)
  }

  #ackHeld(track: Tracking): void {
    for (const held of track.held.splice(0)) this.#collector.ack(held)
  }

  #finishFailed(track: Tracking, error: unknown): void {
    if (!(error instanceof FailedException)) this.#collector.reportError(asError(error))
    this.#failRequest(track)
  }

  #count(id: unknown, tasks: readonly number[]): void {
    const emitted = this.#tracked.get(requestKey(id))?.emitted
    if (emitted === undefined) return
    for (const task of tasks) emitted.set(task, (emitted.get(task) ?? 0) + 1)
  }

  // Emits that name no anchor belong to the request all the same: a batch bolt's do.
  #anchorOf(id: unknown): Tuple | undefined {
    return this.#tracked.get(requestKey(id))?.held[0]
  }

  #counting(collector: OutputCollector & Partial<ForeseeingCollector>): OutputCollector {
    const emit = (values: Values, anchors?: Tuple | readonly Tuple[] | null, stream?: string) => {
      const tasks = collector.emit(values, anchors ?? this.#anchorOf(values[0]), stream)
      this.#count(values[0], tasks)
      return tasks
    }
    const counting: ForeseeingCollector & LossHearingCollector = {
      emit,
      emitDirect: (task, values, anchors, stream) => {
        collector.emitDirect(task, values, anchors ?? this.#anchorOf(values[0]), stream)
        this.#count(values[0], [task])
      },
      ack: tuple => this.#ack(tuple),
      fail: tuple => this.#fail(tuple),
      resetTimeout: tuple => collector.resetTimeout(tuple),
      reportError: error => collector.reportError(error),
      ready: () => collector.ready(),
      foresight: () => this.#foresight(collector.foresight?.()),
      // What a child knew of its requests is gone with it.
      processLost: () => {
        for (const track of this.#tracked.values()) this.#failRequest(track)
      },
    }
    return counting
  }

  #foresight(foresight: Foresight | undefined): Foresight | undefined {
    if (foresight === undefined) return undefined
    return {
      take: () => foresight.take(),
      emit: (ids, values, anchors, stream) => {
        foresight.emit(ids, values, anchors, stream)
        this.#count(values[0], ids)
      },
    }
  }
}
