// A tuple as a bolt sees it. It is the engine's hold itself: acking it lets the input go, and its slot is the anchor of
// what is emitted under it. One object per delivery, nothing more.
import { Hold, nearestName } from 'gearpump/spi'
import type { Tuple, Values } from './api.ts'
import { TICKS } from './tally.ts'

/** Where tuples of one edge come from; shared by all of them. */
export interface Origin {
  readonly component: string
  readonly stream: string
  readonly fields: readonly string[]
  /** Under which its tuples are counted, see `tally.ts`. */
  readonly input: number
}

/** Storm's name for the origin of ticks. */
export const TICK_ORIGIN: Origin = {
  component: '__system',
  stream: '__tick',
  fields: ['rate_secs'],
  input: TICKS,
}
export const SYSTEM_TASK = -1

/** The tuple of a basic bolt: the engine keeps its input, so it is nothing but a view. */
export class PlainTuple implements Tuple {
  readonly values: Values
  readonly origin: Origin
  readonly sourceTask: number

  constructor(values: Values, origin: Origin, sourceTask: number) {
    this.values = values
    this.origin = origin
    this.sourceTask = sourceTask
  }

  get sourceComponent(): string {
    return this.origin.component
  }

  get sourceStream(): string {
    return this.origin.stream
  }

  get fields(): readonly string[] {
    return this.origin.fields
  }

  get(field: string): unknown {
    return fieldOf(this.values, this.origin, field)
  }
}

/** The tuple of a rich bolt, who acks it: it is the hold of its input. */
export class TupleImpl extends Hold implements Tuple {
  readonly values: Values
  readonly origin: Origin
  readonly sourceTask: number

  constructor(values: Values, origin: Origin, sourceTask: number) {
    super()
    this.values = values
    this.origin = origin
    this.sourceTask = sourceTask
  }

  get sourceComponent(): string {
    return this.origin.component
  }

  get sourceStream(): string {
    return this.origin.stream
  }

  get fields(): readonly string[] {
    return this.origin.fields
  }

  get(field: string): unknown {
    return fieldOf(this.values, this.origin, field)
  }
}

function fieldOf(values: Values, { component, stream, fields }: Origin, field: string): unknown {
  const index = fields.indexOf(field)
  if (index >= 0) return values[index]
  const near = nearestName(field, fields)
  const hint = near === undefined ? `it has ${fields.join(', ')}` : `did you mean "${near}"?`
  throw new Error(`stream "${stream}" of ${component} has no field "${field}" (${hint})`)
}

export function isTick(tuple: Tuple): boolean {
  return (
    tuple.sourceComponent === TICK_ORIGIN.component && tuple.sourceStream === TICK_ORIGIN.stream
  )
}
