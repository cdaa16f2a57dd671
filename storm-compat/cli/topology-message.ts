// A topology of shell components as the message that Nimbus takes, so that it can be submitted without a JVM. A shell
// component of the wire is exactly two words, program and script; more words, and variables, go through `env -S`, which
// splits one word into many. What cannot be said so is told, and is submitted by Java then.

import { STORM_VERSION } from '../nimbus/summaries.ts'
import type {
  ComponentCommon,
  Grouping,
  StormTopology as Message,
} from '../thrift/storm-topology.ts'
import type { Component, Implementation, Input, StormTopology } from '../topology/topology.ts'

type Shell = Extract<Implementation, { kind: 'shell' }>
type InputGrouping = Input['grouping']

/** The message, or why there is none. */
export function topologyMessage(topology: StormTopology): Message | { readonly cannot: string } {
  const spouts = new Map<
    string,
    Message['spouts'] extends ReadonlyMap<string, infer S> ? S : never
  >()
  const bolts = new Map<string, Message['bolts'] extends ReadonlyMap<string, infer B> ? B : never>()
  for (const component of topology.components) {
    const cannot = whyNot(component)
    if (cannot !== undefined) return { cannot: `${component.id} ${cannot}` }
    const value = shellMessage(component.implementation as Shell)
    const object = { kind: 'shell', value } as const
    const common = commonMessage(component)
    if (component.kind === 'spout') spouts.set(component.id, { spout_object: object, common })
    else bolts.set(component.id, { bolt_object: object, common })
  }
  return { spouts, bolts, state_spouts: new Map(), storm_version: STORM_VERSION }
}

function whyNot({ implementation, inputs }: Component): string | undefined {
  if (implementation.kind !== 'shell') return 'is no shell component'
  if (!implementation.changeChildCwd) return 'keeps the working directory, which only Java can say'
  const special = inputs.find(({ grouping }) => groupingMessage(grouping) === undefined)
  if (special !== undefined)
    return `has a ${special.grouping.type} grouping, which only Java can say`
  return undefined
}

function commonMessage({
  inputs,
  streams,
  config,
  numTasks,
  parallelismHint,
}: Component): ComponentCommon {
  const conf = numTasks === undefined ? config : { ...config, 'topology.tasks': numTasks }
  return {
    inputs: inputs.map(({ component, stream, grouping }) => [
      { componentId: component, streamId: stream },
      groupingMessage(grouping)!,
    ]),
    streams: new Map(
      [...streams].map(([name, { fields, direct }]) => [name, { output_fields: fields, direct }]),
    ),
    parallelism_hint: parallelismHint,
    ...(Object.keys(conf).length === 0 ? {} : { json_conf: JSON.stringify(conf) }),
  }
}

function groupingMessage(grouping: InputGrouping): Grouping | undefined {
  switch (grouping.type) {
    case 'fields':
      return { kind: 'fields', value: grouping.fields }
    case 'global':
      // Storm has no word of its own for it.
      return { kind: 'fields', value: [] }
    case 'shuffle':
      return { kind: 'shuffle', value: {} }
    case 'all':
      return { kind: 'all', value: {} }
    case 'none':
      return { kind: 'none', value: {} }
    case 'direct':
      return { kind: 'direct', value: {} }
    case 'localOrShuffle':
      return { kind: 'local_or_shuffle', value: {} }
    default:
      return undefined
  }
}

function shellMessage({ command, env }: Shell): { execution_command: string; script: string } {
  const [program, script] = command
  const variables = Object.entries(env)
  if (command.length === 2 && variables.length === 0) {
    return { execution_command: program!, script: script! }
  }
  const words = [...variables.map(([name, value]) => variable(name, value)), ...command.map(word)]
  return { execution_command: 'env', script: `-S${words.join(' ')}` }
}

// PATH is added to, as in Storm.
function variable(name: string, value: string): string {
  return name === 'PATH' ? `PATH=\${PATH}:${word(value)}` : `${name}=${word(value)}`
}

// In single quotes only these two mean something to `env -S`.
function word(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
