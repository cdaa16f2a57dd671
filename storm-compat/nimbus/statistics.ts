// Tallies of components and tasks, read: counts by stream and by input, means of latencies, sums over tasks. The layout
// of a tally is that of component/tally.ts, where they are counted. Pure.
import { IN, OUT, ROOT, type TallyLayout, TICKS, tallyLayout } from '../component/tally.ts'
import { TICK_ORIGIN } from '../component/tuple.ts'
import type { GlobalStreamId } from '../thrift/storm-topology.ts'
import type { Component } from '../topology/topology.ts'
import type { Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import type { Row, Window } from './windows.ts'

/** A mean together with what it was made of, so that several can become one. */
export interface Mean {
  readonly sum: number
  readonly count: number
}

export interface StreamStatistics {
  readonly stream: string
  readonly emitted: number
  readonly transferred: number
  /** Of a spout's roots; 0 for a bolt. */
  readonly acked: number
  readonly failed: number
  readonly completeMs: Mean
}

export interface InputStatistics {
  readonly source: GlobalStreamId
  readonly executed: number
  readonly acked: number
  readonly failed: number
  readonly executeMs: Mean
  readonly processMs: Mean
}

export interface Statistics {
  readonly streams: readonly StreamStatistics[]
  /** Of a bolt; ticks among them, once there were any. */
  readonly inputs: readonly InputStatistics[]
}

/** The statistics of a component in one window: all its tasks, also those of processes that are gone. */
export function componentStatistics(
  { windows }: Topology,
  component: Component,
  window: Window,
): Statistics {
  return read(component, windows.row(window, componentRow(component.id)))
}

/** The statistics of some tasks of a component in one window. */
export function taskStatistics(
  { windows }: Topology,
  component: Component,
  tasks: readonly number[],
  window: Window,
): Statistics {
  const rows = tasks.map(task => windows.row(window, taskRow(task)))
  return read(component, rows.length === 1 ? rows[0]! : sumRows(rows))
}

function sumRows(rows: readonly Row[]): Row {
  const length = Math.max(0, ...rows.map(row => row.length))
  return Array.from({ length }, (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0))
}

function componentRow(id: string): string {
  return `component ${id}`
}

function taskRow(task: number): string {
  return `task ${task}`
}

/** The rows of a topology for its windows. */
export function rowsOf({ figures, tallies = [] }: HostedInfo): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const [id, { tally }] of Object.entries(figures.components)) {
    if (tally !== undefined) rows.set(componentRow(id), tally)
  }
  for (const { task, tally } of tallies) rows.set(taskRow(task), tally)
  return rows
}

function read(component: Component, row: Row): Statistics {
  const layout = tallyLayout(component)
  const ticks = { componentId: TICK_ORIGIN.component, streamId: TICK_ORIGIN.stream }
  // Who subscribes to ticks has one row of them all the same: the one that counts.
  const inputs = component.inputs.flatMap(({ component: componentId, stream: streamId }, i) =>
    componentId === ticks.componentId && streamId === ticks.streamId
      ? []
      : [inputOf(row, layout, i + 1, { componentId, streamId })],
  )
  const ticked = component.kind === 'bolt' ? [inputOf(row, layout, TICKS, ticks)] : []
  return {
    streams: [...component.streams.keys()].map((stream, i) =>
      streamOf(row, layout.stream(i), stream, component.kind === 'spout'),
    ),
    inputs:
      component.kind === 'bolt' ? [...inputs, ...ticked.filter(each => each.executed > 0)] : [],
  }
}

function streamOf(row: Row, at: number, stream: string, isSpout: boolean): StreamStatistics {
  const count = (offset: number) => row[at + offset] ?? 0
  const root = (offset: number) => (isSpout ? count(offset) : 0)
  return {
    stream,
    emitted: count(OUT.emitted),
    transferred: count(OUT.transferred),
    acked: root(ROOT.acked),
    failed: root(ROOT.failed),
    completeMs: { sum: root(ROOT.completeMs), count: root(ROOT.completes) },
  }
}

function inputOf(
  row: Row,
  layout: TallyLayout,
  index: number,
  source: GlobalStreamId,
): InputStatistics {
  const at = layout.input(index)
  const count = (offset: number) => row[at + offset] ?? 0
  return {
    source,
    executed: count(IN.executed),
    acked: count(IN.acked),
    failed: count(IN.failed),
    executeMs: { sum: count(IN.executeMs), count: count(IN.executes) },
    processMs: { sum: count(IN.processMs), count: count(IN.processes) },
  }
}

/** All streams and inputs of a component as one. */
export interface Totals {
  readonly emitted: number
  readonly transferred: number
  readonly executed: number
  readonly acked: number
  readonly failed: number
  /** Means in ms, weighted as Storm does: by what was executed, or acked. */
  readonly completeMs: number
  readonly executeMs: number
  readonly processMs: number
}

export function totalsOf({ streams, inputs }: Statistics): Totals {
  const out = (of: (stream: StreamStatistics) => number) => sum(streams, of)
  const into = (of: (input: InputStatistics) => number) => sum(inputs, of)
  return {
    emitted: out(s => s.emitted),
    transferred: out(s => s.transferred),
    executed: into(i => i.executed),
    acked: out(s => s.acked) + into(i => i.acked),
    failed: out(s => s.failed) + into(i => i.failed),
    completeMs: weighted(streams.map(s => [meanOf(s.completeMs), s.acked])),
    executeMs: weighted(inputs.map(i => [meanOf(i.executeMs), i.executed])),
    processMs: weighted(inputs.map(i => [meanOf(i.processMs), i.executed])),
  }
}

export function meanOf({ sum: of, count }: Mean): number {
  return count === 0 ? 0 : of / count
}

/** The mean of values with weights; 0 without any weight. */
export function weighted(values: readonly (readonly [value: number, weight: number])[]): number {
  const weight = sum(values, ([, each]) => each)
  return weight === 0 ? 0 : sum(values, ([value, each]) => value * each) / weight
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
