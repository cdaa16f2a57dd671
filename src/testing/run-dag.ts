// Runs a DAG to its end on given inputs and returns what every processor emitted. Sources named in `inputs` are replaced by
// ones that emit these values and then end; everything else is what it is.
import { type Application, application } from '../app/application.ts'
import type { ErrorRecord } from '../app/books.ts'
import type { RunFigures } from '../app/figures.ts'
import { EngineError, nearestName } from '../base/errors.ts'
import type { Dag, ProcessorSpec } from '../dag/graph.ts'
import { DEFAULT_PORT } from '../dag/processor.ts'
import { Given } from './given-source.ts'
import { type Simulation, type SimulationOptions, simulate } from './simulation.ts'
import { watched } from './watched.ts'

export interface DagRunOptions extends SimulationOptions {
  /** Values per source, by its name. With several tasks they are dealt out in turn. A value's index is its id. */
  inputs?: Readonly<Record<string, readonly unknown[]>>
  /** Whether the sources of `inputs` emit a failed value again, until it is done. False if not given. */
  replay?: boolean
  /** Virtual time after which the run is given up, ms. A minute if not given. */
  withinMs?: number
  /** Called when data flows, to disturb the run. */
  during?: (simulation: Simulation) => void | Promise<void>
}

export interface DagRun {
  /** Values that a processor emitted on a port (`default` if not given), all its tasks together, in order. */
  outputs(processor: string, port?: string): readonly unknown[]
  /** Ids of a replaced source's values that were done, in the order in which it was told. */
  done(source: string): readonly number[]
  /** Ids that had failed; as often as they did. */
  failed(source: string): readonly number[]
  /** What a processor threw or reported: the last ones. */
  errors(processor: string): readonly ErrorRecord[]
  readonly figures: RunFigures
}

/**
 * Runs a DAG, or an application, until all is done, in virtual time and without sockets.
 *
 * @example
 * const run = await runDag(graph(lines.to(split).to(count)), { inputs: { lines: ['to be', 'or not'] } })
 * t.deepEqual(run.outputs('split'), ['to', 'be', 'or', 'not'])
 * t.deepEqual(run.failed('lines'), [])
 */
export async function runDag(
  what: Dag | Application,
  options: DagRunOptions = {},
): Promise<DagRun> {
  const app = 'dag' in what ? what : application('tested', what)
  const outputs = new Map<string, unknown[]>()
  const given = givenSources(app.dag, options)
  const processors = app.dag.processors.map(spec => {
    const source = given.get(spec.name)
    const replaced: ProcessorSpec =
      source === undefined ? spec : { ...spec, create: () => source.source() }
    return watched(replaced, (port, value) => {
      const key = keyOf(spec.name, port)
      const list = outputs.get(key)
      if (list === undefined) outputs.set(key, [value])
      else list.push(value)
    })
  })
  const run = await simulate({ ...app, dag: { ...app.dag, processors } }, options)
  try {
    await options.during?.(run)
    await run.drained(options.withinMs === undefined ? {} : { withinMs: options.withinMs })
    const figures = await run.figures()
    const ofSource = (name: string) => given.get(name) ?? unknownName(name, given.keys())
    return {
      figures,
      outputs: (processor, port = DEFAULT_PORT) => {
        if (!app.dag.processors.some(spec => spec.name === processor)) {
          unknownName(
            processor,
            app.dag.processors.map(spec => spec.name),
          )
        }
        return outputs.get(keyOf(processor, port)) ?? []
      },
      done: name => ofSource(name).done,
      failed: name => ofSource(name).failed,
      errors: name => run.master.errors.errorsOf(name).last,
    }
  } finally {
    await run.close()
  }
}

function givenSources(
  dag: Dag,
  { inputs = {}, replay = false }: DagRunOptions,
): Map<string, Given> {
  const sources = dag.processors.filter(spec => spec.kind === 'source').map(spec => spec.name)
  return new Map(
    Object.entries(inputs).map(([name, values]) => {
      if (!sources.includes(name)) unknownName(name, sources)
      return [name, new Given(values, replay)]
    }),
  )
}

// Names hold no control characters.
function keyOf(processor: string, port: string): string {
  return `${processor}\0${port}`
}

function unknownName(name: string, known: Iterable<string>): never {
  const names = [...known]
  const near = nearestName(name, names)
  throw new EngineError('BAD_INPUT', `the DAG under test has no "${name}" here`, {
    hint: near === undefined ? `it has ${names.join(', ')}` : `did you mean "${near}"?`,
  })
}
