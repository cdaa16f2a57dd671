// Collectors and tuples for the examples' components: they write down what they are told.
import type {
  OutputCollector,
  SpoutOutputCollector,
  TopologyContext,
  Tuple,
  Values,
} from 'gearpump/storm'

export function tupleOf(sourceComponent: string, record: Readonly<Record<string, unknown>>): Tuple {
  return {
    values: Object.values(record),
    sourceComponent,
    sourceStream: 'default',
    sourceTask: 1,
    fields: Object.keys(record),
    get: field => record[field],
  }
}

export function contextOf(taskIndex: number): TopologyContext {
  return { taskIndex } as TopologyContext
}

/** Emits as `[values, id]`; `exhausted` once it was said. */
export function spoutCollector() {
  const emitted: [Values, unknown][] = []
  const told = { exhausted: false }
  const collector = {
    emit: (values: Values, id?: unknown) => {
      emitted.push([values, id])
      return []
    },
    exhausted: () => {
      told.exhausted = true
    },
  } as unknown as SpoutOutputCollector
  return { emitted, told, collector }
}

/** What a rich bolt does, in order. */
export function boltCollector() {
  const done: (readonly ['emit', Values, readonly Tuple[]] | readonly ['ack' | 'fail', Tuple])[] =
    []
  const collector = {
    emit: (values: Values, anchors: readonly Tuple[]) => {
      done.push(['emit', values, anchors])
      return []
    },
    ack: (tuple: Tuple) => done.push(['ack', tuple]),
    fail: (tuple: Tuple) => done.push(['fail', tuple]),
  } as unknown as OutputCollector
  return { done, collector }
}
