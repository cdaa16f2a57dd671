// What is fixed for a component before any of its tasks runs: its conf, and its place in the topology as Storm shows it to
// components. Made once per component and process, shared by its tasks.
import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { effectiveConf, type RunNames } from '../topology/settings.ts'
import type { TaskNumbers } from '../topology/task-ids.ts'
import type { Component, Grouping, StormTopology } from '../topology/topology.ts'
import type { Conf, GroupingDescription, LogLevel, TopologyContext } from './api.ts'

/** The parts of a run that components see. */
export interface Surroundings {
  readonly topology: StormTopology
  readonly names: RunNames
  readonly numbers: TaskNumbers
  readonly resources: string
  readonly pidDir: string
  readonly logDir: string | undefined
}

/** What a task of the engine knows of itself. */
interface EnginePlace {
  readonly taskId: number
  readonly index: number
  log(level: LogLevel, text: string): void
  metric(name: string, value: unknown): void
}

export class ComponentPlace {
  readonly component: Component
  readonly conf: Conf
  readonly #around: Surroundings
  readonly #targets: ReadonlyMap<string, ReadonlyMap<string, GroupingDescription>>
  readonly #sources: ReadonlyMap<string, ReadonlyMap<string, GroupingDescription>>
  readonly #sourceFields: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
  readonly #streams: ReadonlyMap<string, readonly string[]>
  readonly #componentTasks: ReadonlyMap<string, readonly number[]>
  #file: WriteStream | undefined = undefined

  constructor(around: Surroundings, component: Component) {
    this.#around = around
    this.component = component
    this.conf = effectiveConf(around.topology, component, around.names)
    this.#streams = fieldsOf(component)
    this.#targets = targetsOf(around.topology, component)
    this.#sources = sourcesOf(component)
    this.#sourceFields = sourceFieldsOf(around.topology, component)
    this.#componentTasks = new Map(around.numbers.tasks.map(({ component: id, ids }) => [id, ids]))
  }

  /** Seconds between ticks; 0 = none. Spouts and system components never get any. */
  get tickSecs(): number {
    const secs = this.conf['topology.tick.tuple.freq.secs']
    return this.component.kind === 'bolt' && typeof secs === 'number' && secs > 0 ? secs : 0
  }

  contextOf(place: EnginePlace): TopologyContext {
    const { topology, names, numbers, resources, pidDir } = this.#around
    return {
      topologyName: topology.name,
      stormId: names.stormId,
      componentId: this.component.id,
      taskId: place.taskId,
      taskIndex: place.index,
      taskToComponent: numbers.taskToComponent,
      componentTasks: id => this.#componentTasks.get(id) ?? [],
      streams: this.#streams,
      targets: this.#targets,
      sources: this.#sources,
      sourceFields: this.#sourceFields,
      resources,
      pidDir,
      log: { write: (level, text) => this.#line(place, level, text) },
      metric: (name, value) => place.metric(name, value),
    }
  }

  // The operator's log, and a file of the component's own, which gets every level.
  #line(place: EnginePlace, level: LogLevel, text: string): void {
    place.log(level, text)
    const { logDir } = this.#around
    if (logDir === undefined) return
    this.#file ??= this.#openFile(place, logDir)
    // A disk that is slower than a chatty component must not fill the memory: lines are dropped then, here only.
    if (this.#file.writableLength > FILE_BUFFER_BYTES) return
    this.#file.write(
      `${new Date().toISOString()} ${level.toUpperCase()} [task ${place.taskId}] ${text}\n`,
    )
  }

  #openFile(place: EnginePlace, logDir: string): WriteStream {
    const file = createWriteStream(join(logDir, `${fileName(this.component.id)}.log`), {
      flags: 'a',
      mode: 0o600,
    })
    file.on('error', error => place.log('warn', `its log file cannot be written: ${error.message}`))
    return file
  }
}

/** Lines waiting for the disk before the file is given up for a while. */
const FILE_BUFFER_BYTES = 4 * 1024 * 1024

/** A component id may hold anything; a file name may not. */
function fileName(id: string): string {
  return id.replace(/[^A-Za-z0-9_.-]/g, character => `%${character.codePointAt(0)!.toString(16)}`)
}

/** A grouping as the multi-lang handshake spells it: Storm's thrift names in capitals, global as FIELDS of nothing. */
export function describeGrouping(grouping: Grouping): GroupingDescription {
  switch (grouping.type) {
    case 'fields':
      return { type: 'FIELDS', fields: grouping.fields }
    case 'global':
      return { type: 'FIELDS', fields: [] }
    case 'shuffle':
      return { type: 'SHUFFLE' }
    case 'all':
      return { type: 'ALL' }
    case 'none':
      return { type: 'NONE' }
    case 'direct':
      return { type: 'DIRECT' }
    case 'localOrShuffle':
      return { type: 'LOCAL_OR_SHUFFLE' }
    case 'partialKey':
    case 'java':
    case 'custom':
      return { type: 'CUSTOM_SERIALIZED' }
  }
}

function fieldsOf(component: Component): Map<string, readonly string[]> {
  return new Map([...component.streams].map(([stream, { fields }]) => [stream, fields]))
}

function targetsOf(
  topology: StormTopology,
  component: Component,
): Map<string, Map<string, GroupingDescription>> {
  const targets = new Map<string, Map<string, GroupingDescription>>()
  for (const consumer of topology.components) {
    for (const input of consumer.inputs) {
      if (input.component !== component.id) continue
      const consumers = targets.get(input.stream) ?? new Map<string, GroupingDescription>()
      targets.set(input.stream, consumers.set(consumer.id, describeGrouping(input.grouping)))
    }
  }
  return targets
}

function sourcesOf(component: Component): Map<string, Map<string, GroupingDescription>> {
  const sources = new Map<string, Map<string, GroupingDescription>>()
  for (const input of component.inputs) {
    const streams = sources.get(input.component) ?? new Map<string, GroupingDescription>()
    sources.set(input.component, streams.set(input.stream, describeGrouping(input.grouping)))
  }
  return sources
}

// All streams of each source, subscribed to or not: that is what Storm shows.
function sourceFieldsOf(
  topology: StormTopology,
  component: Component,
): Map<string, Map<string, readonly string[]>> {
  const wanted = new Set(component.inputs.map(input => input.component))
  return new Map(topology.components.filter(c => wanted.has(c.id)).map(c => [c.id, fieldsOf(c)]))
}
