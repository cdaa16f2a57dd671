// Storm's own DRPC components as plain data: what a submitted topology has of them, and what travels to other processes. Each is made
// anew, natively, where it runs.
import type { BasicBolt, Bolt, Spout } from '../component/api.ts'
import { CoordinatedBolt } from './coordinated-bolt.ts'
import { KeyedFairBolt } from './keyed-fair-bolt.ts'
import { JoinResult, PrepareRequest } from './request-bolts.ts'
import { ReturnResults } from './return-results.ts'
import { richBolt } from './rich-bolt.ts'
import { DRPCSpout } from './spout.ts'

export type DrpcSpoutPart = { readonly part: 'spout'; readonly functionName: string }

export type DrpcBoltPart =
  | { readonly part: 'prepare-request' | 'return-results' }
  | { readonly part: 'join-result'; readonly returnComponent: string }
  | { readonly part: 'keyed-fair'; readonly delegate: WrappedPart }
  | {
      readonly part: 'coordinated'
      readonly delegate: WrappedPart
      readonly sources: readonly (readonly [component: string, reports: 'single' | 'all'])[]
      readonly idStream: { readonly component: string; readonly stream: string } | undefined
    }

export type DrpcPart = DrpcSpoutPart | DrpcBoltPart

/** What runs inside of another one: a process, or one of these again. */
export type WrappedPart =
  | DrpcBoltPart
  | {
      readonly part: 'shell'
      readonly command: readonly string[]
      readonly env: Readonly<Record<string, string>>
      readonly changeChildCwd: boolean
    }

export function spoutOfPart({ functionName }: DrpcSpoutPart): Spout {
  return new DRPCSpout(functionName)
}

export function boltOfPart(of: DrpcBoltPart): Bolt | BasicBolt {
  switch (of.part) {
    case 'prepare-request':
      return new PrepareRequest()
    case 'return-results':
      return new ReturnResults()
    case 'join-result':
      return new JoinResult(of.returnComponent)
    case 'keyed-fair':
      return new KeyedFairBolt(wrapped(of.delegate))
    case 'coordinated':
      return new CoordinatedBolt(wrapped(of.delegate), {
        sources: new Map(of.sources),
        idStream: of.idStream,
      })
  }
}

function wrapped(of: WrappedPart): Bolt {
  if (of.part !== 'shell') return richBolt(() => boltOfPart(of))
  const { command, env, changeChildCwd } = of
  // The topology declares the streams.
  return richBolt({ shell: true, command, env, changeChildCwd, streams: new Map(), config: {} })
}
