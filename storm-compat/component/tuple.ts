// A tuple as a bolt sees it. It is the engine's hold itself: acking it lets the input go, and its slot is the anchor of
// what is emitted under it. One object per delivery, nothing more.
import { Hold, nearestName } from 'gearpump/spi'
import type { Tuple, Values } from './api.ts'

/** Where tuples of one edge come from; shared by all of them. */
export interface Origin {
  readonly component: string
  readonly stream: string
  readonly fields: readonly string[]
}

/** Storm's name for the origin of ticks. */
export const TICK_ORIGIN: Origin = {
  component: '__system',
  stream: '__tick',
  fields: ['rate_secs'],
}
export const SYSTEM_TASK = -1

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
    const index = this.origin.fields.indexOf(field)
    if (index >= 0) return this.values[index]
    const near = nearestName(field, this.origin.fields)
    const hint =
      near === undefined ? `it has ${this.origin.fields.join(', ')}` : `did you mean "${near}"?`
    throw new Error(
      `stream "${this.sourceStream}" of ${this.sourceComponent} has no field "${field}" (${hint})`,
    )
  }
}

export function isTick(tuple: Tuple): boolean {
  return (
    tuple.sourceComponent === TICK_ORIGIN.component && tuple.sourceStream === TICK_ORIGIN.stream
  )
}
