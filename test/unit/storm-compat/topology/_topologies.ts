// Small topologies for the tests of this folder.
import type { Component, Input, StormTopology } from '../../../../storm-compat/topology/topology.ts'

export function spout(id: string, more: Partial<Component> = {}): Component {
  return component(id, 'spout', { streams: streams({ default: ['word'] }), ...more })
}

export function bolt(
  id: string,
  inputs: readonly Input[],
  more: Partial<Component> = {},
): Component {
  return component(id, 'bolt', { inputs, ...more })
}

export function shuffle(from: string, stream = 'default'): Input {
  return { component: from, stream, grouping: { type: 'shuffle' } }
}

export function streams(fields: Record<string, readonly string[]>): Component['streams'] {
  return new Map(Object.entries(fields).map(([id, f]) => [id, { fields: f, direct: false }]))
}

export function topology(
  components: readonly Component[],
  config: StormTopology['config'] = {},
): StormTopology {
  return { name: 'test', config, components }
}

function component(id: string, kind: 'spout' | 'bolt', more: Partial<Component>): Component {
  return {
    id,
    kind,
    implementation: { kind: 'shell', command: ['run'], env: {}, changeChildCwd: true },
    inputs: [],
    streams: new Map(),
    parallelismHint: 1,
    numTasks: undefined,
    config: {},
    ...more,
  }
}
