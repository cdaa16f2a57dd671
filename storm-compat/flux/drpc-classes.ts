// Storm's DRPC classes by name, for Flux files: they are made natively. What CoordinatedBolt and KeyedFairBolt wrap is a component of
// the file: a FluxShellBolt, or a bolt in TypeScript.
import type { Bolt } from '../component/api.ts'
import { isBatchBolt } from '../drpc/batch-bolt.ts'
import { CoordinatedBolt } from '../drpc/coordinated-bolt.ts'
import { KeyedFairBolt } from '../drpc/keyed-fair-bolt.ts'
import { JoinResult, PrepareRequest } from '../drpc/request-bolts.ts'
import { ReturnResults } from '../drpc/return-results.ts'
import { richBolt } from '../drpc/rich-bolt.ts'
import { DRPCSpout } from '../drpc/spout.ts'
import { isBolt } from '../topology/outputs.ts'
import { type Argument, checkCount, textOf, UseError } from './arguments.ts'
import { type Construct, type FluxClass, known } from './known-class.ts'
import { ShellComponent } from './shell-component.ts'

/** CoordinatedBolt$SourceArgs: how many tasks of a source tell counts. */
class SourceArgs {
  readonly reports: 'single' | 'all'

  constructor(reports: 'single' | 'all') {
    this.reports = reports
  }
}

/** CoordinatedBolt$IdStreamSpec: the stream that brings the ids. */
class IdStreamSpec {
  readonly component: string
  readonly stream: string

  constructor(component: string, stream: string) {
    this.component = component
    this.stream = stream
  }
}

export function drpcClasses(): [name: string, FluxClass][] {
  const plain = (name: string, form: string, count: number, make: Construct) =>
    known(name, (args, place) => {
      checkCount(args, { place, name, form, min: count, max: count })
      return make(args, place)
    })
  const none = 'without constructorArgs'
  const classes: [string, FluxClass][] = [
    [
      'drpc.DRPCSpout',
      plain('DRPCSpout', '[function]', 1, ([name]) => new DRPCSpout(textOf(name!, 'the function'))),
    ],
    ['drpc.PrepareRequest', plain('PrepareRequest', none, 0, () => new PrepareRequest())],
    ['drpc.ReturnResults', plain('ReturnResults', none, 0, () => new ReturnResults())],
    [
      'drpc.JoinResult',
      plain(
        'JoinResult',
        '[component]',
        1,
        ([from]) => new JoinResult(textOf(from!, 'the component that emits return-infos')),
      ),
    ],
    [
      'drpc.KeyedFairBolt',
      plain('KeyedFairBolt', '[ref: bolt]', 1, ([bolt]) => new KeyedFairBolt(wrapped(bolt!))),
    ],
    ['coordination.CoordinatedBolt', known('CoordinatedBolt', coordinatedBolt)],
    ['coordination.CoordinatedBolt$SourceArgs', sourceArgs()],
    ['coordination.CoordinatedBolt$IdStreamSpec', idStreamSpec()],
  ]
  return classes.map(([name, of]) => [`org.apache.storm.${name}`, of])
}

const COORDINATED_FORM =
  '[ref: bolt], [ref: bolt, source component, ref: SourceArgs, ref: IdStreamSpec] or [ref: bolt, map of sources, ref: IdStreamSpec]'

// (bolt), (bolt, sources, id stream) and (bolt, source, its arguments, id stream); what is null is not there.
function coordinatedBolt(args: readonly Argument[], place: string): CoordinatedBolt {
  checkCount(args, { place, name: 'CoordinatedBolt', form: COORDINATED_FORM, min: 1, max: 4 })
  const [bolt, first] = args
  const sources = new Map<string, 'single' | 'all'>()
  if (args.length === 4) addSource(sources, textOf(first!, 'the source component'), args[2]!)
  else if (first?.value instanceof Map) {
    for (const [component, value] of first.value) {
      addSource(sources, String(component), { ...first, value: value as unknown })
    }
  } else if (first !== undefined && first.value !== null) {
    throw new UseError(first.place, 'the sources must be a map', `its form is ${COORDINATED_FORM}`)
  }
  const spec = args.length > 2 ? args.at(-1) : undefined
  if (spec !== undefined && spec.value !== null && !(spec.value instanceof IdStreamSpec)) {
    throw new UseError(spec.place, 'the id stream must be an IdStreamSpec')
  }
  const idStream = spec?.value instanceof IdStreamSpec ? spec.value : undefined
  return new CoordinatedBolt(wrapped(bolt!), { sources, idStream })
}

function addSource(
  sources: Map<string, 'single' | 'all'>,
  component: string,
  { place, value }: Argument,
): void {
  if (!(value instanceof SourceArgs)) {
    throw new UseError(place, `the source "${component}" must have SourceArgs`)
  }
  sources.set(component, value.reports)
}

function wrapped({ place, value }: Argument): Bolt {
  if (value instanceof ShellComponent) return richBolt(value.describe())
  if (isBatchBolt(value)) {
    throw new UseError(
      place,
      'a batch bolt is made anew for each request, which a reference cannot do',
      'write the topology in TypeScript, with LinearDRPCTopologyBuilder',
    )
  }
  if (isBolt(value)) return richBolt(() => value)
  throw new UseError(place, 'this is no bolt', 'give a reference to a component that is one')
}

function sourceArgs(): FluxClass {
  return {
    ...known('SourceArgs', (_args, place) => {
      throw new UseError(place, 'SourceArgs has no constructor', 'use the factory single or all')
    }),
    factory: (name, _args, place) => {
      if (name === 'single' || name === 'all') return new SourceArgs(name)
      throw new UseError(place, `SourceArgs has no factory "${name}"`, 'there are single and all')
    },
  }
}

function idStreamSpec(): FluxClass {
  const form = '[component, stream]'
  const name = 'makeDetectSpec'
  return {
    ...known('IdStreamSpec', (_args, place) => {
      throw new UseError(place, 'IdStreamSpec has no constructor', `use the factory ${name}`)
    }),
    factory: (factory, args, place) => {
      if (factory !== name) {
        throw new UseError(place, `IdStreamSpec has no factory "${factory}"`, `there is ${name}`)
      }
      checkCount(args, { place, name, form, min: 2, max: 2 })
      return new IdStreamSpec(textOf(args[0]!, 'the component'), textOf(args[1]!, 'the stream'))
    },
  }
}
