// What the UI's picture of a topology is drawn from: each component with its inputs, figures and what its executors sent.
// The keys begin with colons, as Storm has written them since its days of Clojure.
import type { ComponentAggregateStats, ExecutorSummary } from '../thrift/storm-statistics.ts'
import type { TopologyInfo, TopologyPageInfo } from '../thrift/storm-summaries.ts'
import type { ComponentCommon, StormTopology } from '../thrift/storm-topology.ts'
import type { Json } from './cluster-pages.ts'
import { urlEncoded, whole } from './formats.ts'

/** Boxes of streams in a row of the picture's legend. */
const BOXES_PER_ROW = 4

export interface Drawn {
  readonly topology: StormTopology
  readonly info: TopologyInfo
  readonly page: TopologyPageInfo
  readonly window: string
}

export function visualizationJson(drawn: Drawn): Json {
  const { topology, page } = drawn
  const components = [
    ...[...topology.spouts].map(
      ([id, { common }]) => [id, 'spout', common, page.id_to_spout_agg_stats?.get(id)] as const,
    ),
    ...[...topology.bolts].map(
      ([id, { common }]) => [id, 'bolt', common, page.id_to_bolt_agg_stats?.get(id)] as const,
    ),
  ]
  return Object.fromEntries(
    components.map(([id, kind, common, stats]) => [id, nodeJson(id, kind, common, stats, drawn)]),
  )
}

function nodeJson(
  id: string,
  kind: 'spout' | 'bolt',
  common: ComponentCommon,
  stats: ComponentAggregateStats | undefined,
  { info, window }: Drawn,
): Json {
  const executors = info.executors.filter(executor => executor.component_id === id)
  const { specific_stats: specific } = stats ?? {}
  return {
    ':type': kind,
    ':capacity': specific?.kind === 'bolt' ? (specific.value.capacity ?? 0) : 0,
    ':latency': latencyOf(stats),
    ':transferred': transferredOf(executors, window),
    ':stats': executors.map(executorJson),
    ':link': `/component.html?id=${urlEncoded(id)}&topology_id=${urlEncoded(info.id)}`,
    ':inputs': inputsOf(common),
  }
}

function latencyOf({ specific_stats: of }: ComponentAggregateStats = {}): number {
  if (of?.kind === 'bolt') return of.value.process_latency_ms ?? 0
  return of?.kind === 'spout' ? (of.value.complete_latency_ms ?? 0) : 0
}

function transferredOf(executors: readonly ExecutorSummary[], window: string): Json {
  const sums = new Map<string, number>()
  for (const { stats } of executors) {
    for (const [stream, count] of stats?.transferred.get(window) ?? [])
      sums.set(stream, (sums.get(stream) ?? 0) + whole(count))
  }
  return Object.fromEntries(sums)
}

function executorJson({ host, port, uptime_secs, stats }: ExecutorSummary): Json {
  const windows = [...(stats?.transferred ?? [])].map(([window, streams]) => [
    window,
    Object.fromEntries([...streams].map(([name, n]) => [saneStream(name), whole(n)])),
  ])
  return {
    ':host': host,
    ':port': port,
    ':uptime_secs': uptime_secs,
    ':transferred': stats === undefined ? null : Object.fromEntries(windows),
  }
}

function inputsOf(common: ComponentCommon): Json[] {
  return common.inputs.map(([{ componentId, streamId }, grouping]) => ({
    ':component': componentId,
    ':stream': streamId,
    ':sani-stream': saneStream(streamId),
    ':grouping': grouping.kind,
  }))
}

/** A stream's name as a class of a page's elements. */
export function saneStream(name: string): string {
  const sane = name.replace(/[^A-Za-z_\-.]/gu, '_')
  return /^\p{L}/u.test(name) ? sane : `_s${sane}`
}

/** The legend: every stream that somebody reads, system streams not ticked. */
export function legendJson({ topology }: Drawn): Json {
  const commons = [...topology.spouts.values(), ...topology.bolts.values()].map(each => each.common)
  const streams = new Set(
    commons.flatMap(common => common.inputs.map(([{ streamId }]) => streamId)),
  )
  const boxes = [...streams].map(stream => ({
    ':stream': stream,
    ':sani-stream': saneStream(stream),
    ':checked': !stream.startsWith('__'),
  }))
  const rows = Array.from({ length: Math.ceil(boxes.length / BOXES_PER_ROW) }, (_, i) => ({
    ':row': boxes.slice(i * BOXES_PER_ROW, (i + 1) * BOXES_PER_ROW),
  }))
  return { visualizationTable: rows }
}
