// Asks an in-process component what it emits: its streams and its own settings. Used wherever components come as
// instances (the builder, TypeScript classes named in Flux files). The instance is thrown away afterwards.
import type { BasicBolt, Bolt, Conf, OutputFieldsDeclarer, Spout } from '../component/api.ts'
import type { Stream } from './topology.ts'

/** True if the value can be used as a spout. */
export function isSpout(value: unknown): value is Spout {
  return hasMethods(value, 'nextTuple', 'open', 'declareOutputFields')
}

/** True if the value can be used as a bolt, rich or basic. */
export function isBolt(value: unknown): value is Bolt | BasicBolt {
  if (!hasMethods(value, 'execute', 'declareOutputFields')) return false
  return (value as { basic?: unknown }).basic === true || hasMethods(value, 'prepare')
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every(name => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** Calls `declareOutputFields` and `getComponentConfiguration` once each. Throws for a stream declared twice. */
export function askOutputs(instance: Spout | Bolt | BasicBolt): {
  streams: ReadonlyMap<string, Stream>
  config: Conf
} {
  const streams = new Map<string, Stream>()
  const declareStream: OutputFieldsDeclarer['declareStream'] = (stream, fields, direct = false) => {
    if (streams.has(stream)) throw new Error(`stream "${stream}" is declared twice`)
    streams.set(stream, { fields: [...fields], direct })
  }
  const declare: OutputFieldsDeclarer['declare'] = (fields, direct) =>
    declareStream('default', fields, direct)
  instance.declareOutputFields({ declare, declareStream })
  return { streams, config: { ...instance.getComponentConfiguration?.() } }
}
