// A bolt that works in the JVM host. It hands tuples over under numbers, keeps their holds, and does what the host tells: emits under
// those holds, acks, fails. So a host that dies, or a bolt that throws, fails exactly what it held.
import { asError } from 'gearpump/spi'
import type {
  Bolt,
  Conf,
  Credentials,
  OutputCollector,
  OutputFieldsDeclarer,
  TopologyContext,
  Tuple,
} from '../component/api.ts'
import { type Origin, TICK_ORIGIN, type TupleImpl } from '../component/tuple.ts'
import type { JavaObjectSource } from '../topology/topology.ts'
import { HeldTuples } from './held-tuples.ts'
import { EMIT_FLAG, ORDER, TOLD } from './host-protocol.ts'
import type { ChosenTasks, JavaGrouping } from './java-groupings.ts'
import { type JavaRole, JavaTask } from './java-task.ts'
import type { Sidecar } from './sidecar.ts'
import type { WireReader } from './wire-reader.ts'

/** Tuples handed over and not yet executed: enough for both sides to work at once, few enough to fail on a death. */
const UNEXECUTED_MAX = 1_024
/** And so many bytes of them, since they wait in the host's heap, which is small. */
const UNEXECUTED_BYTES_MAX = 1024 * 1024
/** Emits, and bytes of them, after which the host is told that there is room: an eighth of what it may have open. */
const CREDIT_EMITS = 1_024
const CREDIT_BYTES = 1024 * 1024

export interface JavaBoltOptions {
  readonly sidecar: Sidecar
  readonly object: JavaObjectSource
  readonly className: string
  readonly groupings: readonly JavaGrouping[]
  readonly chosen: ChosenTasks
  /** Components whose integers are Longs in Java: multi-lang ones. */
  readonly longsOf: ReadonlySet<string>
}

interface Source {
  readonly number: number
  readonly longs: boolean
}

const NO_SOURCE: Source = { number: 0, longs: false }

export class JavaBolt implements Bolt, JavaRole {
  readonly #options: JavaBoltOptions
  /** Tuples that the host has. */
  readonly #held = new HeldTuples<TupleImpl>()
  /** What the host is told of where a tuple comes from, by component and stream, and of the last one. */
  readonly #sources = new Map<string, Source>()
  #origin: Origin | undefined = undefined
  #source: Source = NO_SOURCE
  #task!: JavaTask
  #credentials: Credentials = {}
  #begun = false
  #collector!: OutputCollector
  #unexecuted = 0
  #unexecutedBytes = 0
  #uncredited = 0
  #uncreditedBytes = 0
  #blocked: Promise<void> | undefined = undefined
  #room: { promise: Promise<void>; resolve: () => void } | undefined = undefined
  /** Taken while the host was not there; the task is parked, so they are few. */
  #waiting: Tuple[] = []

  constructor(options: JavaBoltOptions) {
    this.#options = options
  }

  /** Before it is begun, and whenever there are others. */
  setCredentials(credentials: Credentials): void {
    this.#credentials = credentials
    if (this.#begun) this.#task.setCredentials(credentials)
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): Promise<void> {
    this.#collector = collector
    const origins: [string, string][] = []
    for (const [component, streams] of context.sources) {
      for (const stream of streams.keys()) {
        const longs = this.#options.longsOf.has(component)
        this.#sources.set(`${stream} ${component}`, { number: origins.length, longs })
        origins.push([component, stream])
      }
    }
    this.#task = new JavaTask(this, {
      ...this.#options,
      conf,
      context,
      kind: 'bolt',
      more: { origins },
      credentials: this.#credentials,
      reportError: error => collector.reportError(error),
    })
    this.#begun = true
    return this.#task.start()
  }

  execute(tuple: Tuple): Promise<void> | undefined {
    if (!this.#task.up) {
      this.#waiting.push(tuple)
      return this.#untilRoom()
    }
    this.#send(tuple)
    if (this.#blocked !== undefined) return this.#blocked
    return this.#hasRoom(1) ? undefined : this.#untilRoom()
  }

  #hasRoom(divisor: number): boolean {
    return (
      this.#unexecuted < UNEXECUTED_MAX / divisor &&
      this.#unexecutedBytes < UNEXECUTED_BYTES_MAX / divisor
    )
  }

  #send(given: Tuple): void {
    const tuple = given as TupleImpl
    const { writer } = this.#task.channel
    const { origin } = tuple
    if (origin === TICK_ORIGIN) {
      this.#tick(tuple)
      return
    }
    if (origin !== this.#origin) this.#comesFrom(origin)
    const { number, longs } = this.#source
    const start = writer.size
    const id = this.#held.add(tuple)
    try {
      writer.u8(ORDER.EXECUTE)
      writer.count(number)
      writer.i32(id)
      writer.i32(tuple.sourceTask)
      writer.longs = longs
      writer.values(tuple.values)
    } catch (thrown) {
      writer.reset(start)
      this.#held.take(id)
      this.#task.reportError(asError(thrown))
      this.#collector.fail(tuple)
      return
    }
    this.#sent(start)
  }

  #tick(tuple: TupleImpl): void {
    const { writer } = this.#task.channel
    const start = writer.size
    writer.u8(ORDER.TICK)
    writer.longs = false
    writer.value(tuple.values[0])
    this.#collector.ack(tuple)
    this.#sent(start)
  }

  #sent(start: number): void {
    const { channel } = this.#task
    this.#unexecuted++
    this.#unexecutedBytes += channel.writer.size - start
    channel.flushSoon()
  }

  // Nearly all tuples come from where the one before came from.
  #comesFrom(origin: Origin): void {
    this.#origin = origin
    this.#source = this.#sources.get(`${origin.stream} ${origin.component}`)!
  }

  #untilRoom(): Promise<void> {
    if (this.#room === undefined) {
      let resolve: () => void = () => undefined
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.#room = { promise, resolve }
    }
    return this.#room.promise
  }

  #release(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  // ---- from the host

  opened(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const tuple of waiting) this.#send(tuple)
    this.#release()
  }

  lost(): void {
    const held = this.#held.takeAll()
    this.#unexecuted = 0
    this.#unexecutedBytes = 0
    this.#uncredited = 0
    this.#uncreditedBytes = 0
    for (const tuple of held) this.#collector.fail(tuple)
  }

  told(record: number, reader: WireReader): void {
    switch (record) {
      case TOLD.EMIT:
        this.#emit(reader)
        return
      case TOLD.ACK: {
        const tuple = this.#held.take(reader.i32())
        if (tuple !== undefined) this.#collector.ack(tuple)
        return
      }
      case TOLD.FAIL: {
        const tuple = this.#held.take(reader.i32())
        if (tuple !== undefined) this.#collector.fail(tuple)
        return
      }
      case TOLD.RENEW: {
        const tuple = this.#held.get(reader.i32())
        if (tuple !== undefined) this.#collector.resetTimeout(tuple)
        return
      }
      case TOLD.EXECUTED:
        this.#unexecuted -= reader.i32()
        this.#unexecutedBytes -= reader.i32()
        if (this.#hasRoom(2)) this.#release()
        return
      default:
        throw new Error(`a Java bolt was told the unknown record ${record}`)
    }
  }

  #emit(reader: WireReader): void {
    // The record's kind was read before.
    const start = reader.at - 1
    const flags = reader.u8()
    const number = reader.count()
    const stream = this.#task.streams[number]!
    const task = (flags & EMIT_FLAG.DIRECT) === 0 ? undefined : reader.i32()
    const anchors = this.#anchors(flags, reader)
    if ((flags & EMIT_FLAG.CHOSEN) !== 0) this.#task.readChosen(number, reader)
    const values = reader.values()
    let ids: readonly number[] = []
    try {
      if (task === undefined) ids = this.#collector.emit(values, anchors, stream)
      else this.#collector.emitDirect(task, values, anchors, stream)
    } catch (thrown) {
      // Storm would throw out of the emit; the bolt is past it, so what it is anchored to fails.
      this.#task.reportError(asError(thrown))
      for (const tuple of anchors === null ? [] : [anchors].flat()) this.#collector.fail(tuple)
    }
    this.#task.answered(ids)
    this.#uncreditedBytes += reader.at - start
    if (++this.#uncredited >= CREDIT_EMITS || this.#uncreditedBytes >= CREDIT_BYTES) this.#credit()
  }

  // Those that were let go meanwhile (timed out, or acked before) are no anchors any more, as in Storm.
  #anchors(flags: number, reader: WireReader): Tuple | Tuple[] | null {
    if ((flags & EMIT_FLAG.ONE_ANCHOR) !== 0) {
      const tuple = this.#held.get(reader.i32())
      return tuple?.open === true ? tuple : null
    }
    if ((flags & EMIT_FLAG.MANY_ANCHORS) === 0) return null
    const anchors: Tuple[] = []
    for (let n = reader.count(); n > 0; n--) {
      const tuple = this.#held.get(reader.i32())
      if (tuple?.open === true) anchors.push(tuple)
    }
    return anchors
  }

  #credit(): void {
    const emits = this.#uncredited
    const bytes = this.#uncreditedBytes
    this.#uncredited = 0
    this.#uncreditedBytes = 0
    const { channel } = this.#task
    const ready = this.#collector.ready()
    if (ready === undefined) {
      channel.credit(emits, bytes)
      return
    }
    const { number } = channel
    // The host's emits wait when they are too many; new tuples wait here.
    this.#blocked = ready.then(() => {
      this.#blocked = undefined
      // Not to a component that was opened meanwhile: it has emitted none of these.
      if (channel.number === number) channel.credit(emits, bytes)
    })
  }

  async cleanup(): Promise<void> {
    this.#release()
    await this.#task?.close(ORDER.CLOSE)
  }

  /** Streams are declared by the topology. */
  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}
