// What a component's next emits will be answered, told before they are made. A child process whose library waits for the
// task ids of each emit need not wait when the ids are there already (multilang/ids-ahead.ts). That is only possible where
// no emit that the component might make could be answered otherwise: one look at all its streams decides it, here.
import type { Outlet } from 'gearpump/spi'
import type { OutputCollector, Tuple, Values } from './api.ts'

export interface Foresight {
  /** Takes the answer of an emit still to come: the ids of the tasks it will go to. */
  take(): readonly number[]
  /** Makes an emit that goes to the tasks of an answer taken before. Throws as `emit` of the collector does. */
  emit(
    ids: readonly number[],
    values: Values,
    anchors: readonly Tuple[] | null,
    stream: string,
  ): void
}

/** A collector that may know its answers ahead. */
export interface ForeseeingCollector extends OutputCollector {
  /** Undefined where the answer depends on the tuple or on its stream. */
  foresight(): Foresight | undefined
}

/** One stream of a component as an ordinary (not direct) emit finds it. */
export interface OpenStream {
  /** Undefined when nobody listens. */
  readonly outlet: Outlet | undefined
}

/** `always`: each emit is answered by these ids. `turns`: this outlet is asked for each. Undefined: nobody can know. */
export type Outlook =
  | { readonly kind: 'always'; readonly ids: readonly number[] }
  | { readonly kind: 'turns'; readonly outlet: Outlet }

/**
 * The answers of a component's ordinary emits, over all streams on which it may make them. The stream of the next emit is
 * not known, so several streams must give one and the same answer.
 */
export function outlookOf(streams: readonly OpenStream[]): Outlook | undefined {
  const [only] = streams
  if (streams.length === 1 && only?.outlet?.targeting === 'turns') {
    return { kind: 'turns', outlet: only.outlet }
  }
  const answers: (readonly number[])[] = []
  for (const { outlet } of streams) {
    if (outlet !== undefined && outlet.targeting !== 'always') return undefined
    answers.push(outlet?.reserve() ?? [])
  }
  const [first, ...others] = answers
  if (first === undefined || others.some(other => String(other) !== String(first))) return undefined
  return { kind: 'always', ids: first }
}
