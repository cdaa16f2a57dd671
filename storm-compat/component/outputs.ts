// The declared streams of one component task as it emits on them: finds the engine's outlet of a stream, refuses what the
// component has not declared, and turns the engine's answer into Storm's list of task ids.
import { inspect } from 'node:util'
import { EngineError, nearestName, type Outlet } from 'gearpump/spi'
import type { TopologyContext, Values } from './api.ts'
import { type Outlook, outlookOf } from './foresight.ts'
import type { ComponentPlace } from './place.ts'
import { OUT, tallyLayout } from './tally.ts'

const NO_TASKS: readonly number[] = Object.freeze([])
const SEVERAL = -2

interface Output {
  readonly outlet: Outlet | undefined
  readonly fields: number
  /** Some consumer has a direct grouping: only direct emits are legal. */
  readonly direct: boolean
  /** Where its counts are in the tally. */
  readonly at: number
}

export class Outputs {
  readonly #context: TopologyContext
  readonly #debug: boolean
  readonly #byStream = new Map<string, Output>()
  // The default stream, when an emit on it needs no second look: nearly all emits go there.
  #plain: Output | undefined = undefined
  // One list per task id, made once: an emit to one task allocates nothing.
  readonly #lists: (readonly number[] | undefined)[] = []
  readonly #counts: Float64Array
  // Where the stream of the last emit is counted, if that is not the plain one.
  #at = 0
  // Emits that are counted here and by the engine; and those on the plain stream that nobody listens to.
  #told = 0
  #unheard = 0

  /** `counts`: the tally of the task. */
  constructor(
    context: TopologyContext,
    { component, conf }: ComponentPlace,
    outletOf: (port: string) => Outlet | undefined,
    counts: Float64Array,
  ) {
    this.#context = context
    this.#debug = conf['topology.debug'] === true
    this.#counts = counts
    const layout = tallyLayout(component)
    for (const [name, stream] of component.streams) {
      const at = layout.stream(this.#byStream.size)
      const consumers = [...(context.targets.get(name)?.values() ?? [])]
      const direct = consumers.some(grouping => grouping.type === 'DIRECT')
      const fields = stream.fields.length
      this.#byStream.set(name, { outlet: outletOf(name), fields, direct, at })
    }
    const output = this.#byStream.get('default')
    if (output?.direct === false && !this.#debug) this.#plain = output
  }

  /** The outlet of a stream for an ordinary emit; undefined when nobody listens. */
  ordinary(stream: string, values: Values): Outlet | undefined {
    const plain = this.#plain
    if (stream === 'default' && plain !== undefined && values.length === plain.fields) {
      if (plain.outlet === undefined) this.#unheard++
      return plain.outlet
    }
    const output = this.#output(stream, values)
    if (this.#debug) this.#tell(stream, values)
    if (output.direct)
      throw this.#wrong(
        `emits on stream "${stream}", whose consumer has a direct grouping`,
        'use emitDirect',
      )
    this.#at = output.at
    this.#counts[output.at + OUT.emitted]!++
    if (output.outlet === undefined) this.#counts[output.at + OUT.transferred]!--
    else this.#told++
    return output.outlet
  }

  /** The outlet of a stream for a direct emit. */
  direct(stream: string, values: Values): Outlet | undefined {
    const output = this.#output(stream, values)
    if (this.#debug) this.#tell(stream, values)
    if (output.outlet !== undefined && !output.direct) {
      throw this.#wrong(
        `emits directly on stream "${stream}", whose consumers have no direct grouping`,
        'use emit',
      )
    }
    this.#at = output.at
    return output.outlet
  }

  /** The last direct emit has found its task. */
  sentDirectly(): void {
    this.#counts[this.#at + OUT.emitted]!++
    this.#told++
  }

  /** The last emit went to so many tasks. Where `ids` is asked it counts by itself. */
  sent(outlet: Outlet, tasks: number): void {
    const at = outlet === this.#plain?.outlet ? this.#plain.at : this.#at
    this.#counts[at + OUT.transferred]! += tasks - 1
  }

  /**
   * The emits by stream. Counted here is what is not on the plain stream, and how many tasks more than one, or fewer, an
   * emit went to; the engine has counted all of them: `emitted`.
   */
  addTo(counts: number[], emitted: number): void {
    const plain = this.#plain
    if (plain !== undefined) {
      counts[plain.at + OUT.emitted]! += emitted - this.#told + this.#unheard
      counts[plain.at + OUT.transferred]! -= this.#unheard
    }
    for (const { at } of this.#byStream.values())
      counts[at + OUT.transferred]! += counts[at + OUT.emitted]!
  }

  /** What ordinary emits will be answered, whatever they hold; undefined where that cannot be known. */
  outlook(): Outlook | undefined {
    return outlookOf([...this.#byStream.values()].filter(({ direct }) => !direct))
  }

  // `topology.debug`: a line per emit, as in Storm.
  #tell(stream: string, values: Values): void {
    const text = inspect(values, {
      breakLength: Infinity,
      depth: 4,
      maxArrayLength: 20,
      maxStringLength: 200,
    })
    this.#context.log.write('info', `Emitting: ${this.#context.componentId} ${stream} ${text}`)
  }

  #output(stream: string, values: Values): Output {
    const output = this.#byStream.get(stream)
    if (output === undefined) {
      const near = nearestName(stream, this.#byStream.keys())
      const hint = near === undefined ? 'declare it' : `did you mean "${near}"?`
      throw this.#wrong(`emits on stream "${stream}", which it does not declare`, hint)
    }
    if (values.length !== output.fields) {
      const given = `${values.length} value${values.length === 1 ? '' : 's'}`
      throw this.#wrong(
        `emits ${given} on stream "${stream}", which has ${output.fields} fields`,
        'emit one value per declared field',
      )
    }
    return output
  }

  #wrong(what: string, hint: string): EngineError {
    const { componentId, taskId } = this.#context
    return new EngineError('TOPOLOGY_INVALID', `${componentId}[task ${taskId}] ${what}`, {
      hint,
      details: { component: componentId, task: taskId },
    })
  }

  /** Task ids of the engine's answer to an emit. */
  ids(answer: number, outlet: Outlet): readonly number[] {
    if (answer >= 0) {
      const list = this.#lists[answer]
      if (list !== undefined) return list
      const made = Object.freeze([answer])
      this.#lists[answer] = made
      return made
    }
    this.sent(outlet, answer === SEVERAL ? outlet.targets.length : 0)
    return answer === SEVERAL ? outlet.targets.slice() : NO_TASKS
  }

  get none(): readonly number[] {
    return NO_TASKS
  }
}
