// The figures that tasks keep under names of their own (`context.metric`), for whoever asks about the application: the last value
// of each task. Numbers of one name are summed over the tasks of a component, as are those in flat objects by their keys;
// what is neither is not kept.

/** Names kept per component. */
const METRICS_KEPT = 1000
/** Keys shown of one object: as many as people look at, the greatest numbers first. */
const KEYS_SHOWN = 100

export type MetricValue = number | Readonly<Record<string, number>>

export class ComponentMetrics {
  readonly #values = new Map<string, Map<string, Map<number, MetricValue>>>()

  set(taskId: number, processor: string, name: string, value: unknown): void {
    if (!isNumber(value) && !isNumbers(value)) return
    let names = this.#values.get(processor)
    if (names === undefined) {
      names = new Map()
      this.#values.set(processor, names)
    }
    let tasks = names.get(name)
    if (tasks === undefined) {
      if (names.size >= METRICS_KEPT) return
      tasks = new Map()
      names.set(name, tasks)
    }
    tasks.set(taskId, value)
  }

  /** By name, of the tasks that the component has now. */
  of(processor: string, tasks: readonly number[]): Record<string, MetricValue> {
    const shown: Record<string, MetricValue> = {}
    for (const [name, values] of this.#values.get(processor) ?? []) {
      const found = tasks.map(task => values.get(task)).filter(value => value !== undefined)
      if (found.length === 0) continue
      if (found.every(isNumber)) shown[name] = found.reduce((sum, value) => sum + value, 0)
      else if (found.every(isNumbers)) shown[name] = greatest(summed(found))
    }
    return shown
  }
}

function summed(objects: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const object of objects)
    for (const [key, value] of Object.entries(object)) sums.set(key, (sums.get(key) ?? 0) + value)
  return sums
}

function greatest(sums: ReadonlyMap<string, number>): Record<string, number> {
  const entries = [...sums]
  if (entries.length <= KEYS_SHOWN) return Object.fromEntries(entries)
  return Object.fromEntries(entries.sort((a, b) => b[1] - a[1]).slice(0, KEYS_SHOWN))
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isNumbers(value: unknown): value is Readonly<Record<string, number>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isNumber)
  )
}
