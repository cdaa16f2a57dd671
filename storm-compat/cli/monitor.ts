// `storm monitor`: how many tuples a component emits, a line each few seconds, until Ctrl-C.
import type { TopologyInfo } from '../thrift/storm-summaries.ts'
import { one, readCommandLine, wholeNumber, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_FAILED, EXIT_OK, type NimbusClient, type Surroundings, type Verb } from './verb.ts'

const INTERVAL_SECS = 4
const WATCHES = ['emitted', 'transferred'] as const

export const monitorVerb: Verb = {
  usage: 'storm monitor TOPOLOGY [-m COMPONENT] [-i SECS] [-s STREAM] [-w emitted|transferred]',
  summary: 'the throughput of a component, until Ctrl-C',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      interval: { flags: ['-i', '--interval'], takes: 'one' },
      component: { flags: ['-m', '--component'], takes: 'one' },
      stream: { flags: ['-s', '--stream'], takes: 'one' },
      watch: { flags: ['-w', '--watch'], takes: 'one' },
    })
    const topology = words(line, ['topology-name'])[0]!
    const watch = watchOf(one(line, 'watch') ?? 'emitted')
    const intervalMs = 1000 * (wholeNumber(line, 'interval', 1) ?? INTERVAL_SECS)
    const stream = one(line, 'stream') ?? 'default'
    const component = one(line, 'component')
    return withNimbus(line, around, async ({ client }) => {
      if (component === undefined) {
        around.out(componentsText(topology, await infoOf(client, topology)))
        around.out('Please use -m to specify one component\n')
        return EXIT_OK
      }
      return watchComponent({ topology, component, stream, watch, intervalMs }, client, around)
    })
  },
}

interface Watched {
  readonly topology: string
  readonly component: string
  readonly stream: string
  readonly watch: (typeof WATCHES)[number]
  readonly intervalMs: number
}

async function watchComponent(
  of: Watched,
  client: NimbusClient,
  around: Surroundings,
): Promise<number> {
  const { topology, component, stream, watch } = of
  const startedMs = around.nowMs()
  let before = { atMs: startedMs, total: 0n }
  around.out(
    `topology\tcomponent\tparallelism\tstream\ttime-diff ms\t${watch}\tthroughput (Kt/s)\n`,
  )
  for (;;) {
    const nowMs = around.nowMs()
    const info = await infoOf(client, topology)
    const figures = figuresOf(info, of)
    if (figures.executors === 0) {
      around.out(componentsText(topology, info))
      around.note(`storm: component: ${component} not found`)
      return EXIT_FAILED
    }
    if (figures.total === undefined) {
      around.note(`storm: stream: ${stream} not found`)
      return EXIT_FAILED
    }
    const tookMs = nowMs - before.atMs
    const added = Number(figures.total - before.total)
    const rate = tookMs === 0 ? 0 : added / tookMs
    const cells = [topology, component, figures.executors, stream, tookMs, added, javaDouble(rate)]
    around.out(`${cells.join('\t')}\n`)
    before = { atMs: nowMs, total: figures.total }
    const passedMs = around.nowMs() - startedMs
    await around.sleep(of.intervalMs - (passedMs % of.intervalMs))
  }
}

function infoOf(client: NimbusClient, name: string): Promise<TopologyInfo> {
  const options = { num_err_choice: 'NONE' } as const
  return client.call('getTopologyInfoByNameWithOpts', { name, options })
}

// The total is undefined if no executor knows the stream.
function figuresOf(
  { executors }: TopologyInfo,
  { component, stream, watch }: Watched,
): { executors: number; total: bigint | undefined } {
  const own = executors.filter(executor => executor.component_id === component)
  const totals = own
    .map(({ stats }) => stats?.[watch].get(':all-time')?.get(stream))
    .filter(total => total !== undefined)
  const total = totals.length === 0 ? undefined : totals.reduce((sum, each) => sum + each, 0n)
  return { executors: own.length, total }
}

function componentsText(topology: string, { executors }: TopologyInfo): string {
  const names = [...new Set(executors.map(executor => executor.component_id))]
  const rule = '-'.repeat(18)
  return [`Available components for ${topology} :`, rule, ...names, rule, ''].join('\n')
}

function javaDouble(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

function watchOf(text: string): Watched['watch'] {
  const found = WATCHES.find(watch => watch === text)
  if (found !== undefined) return found
  throw new StormUsageError(`-w ${text}: it must be emitted or transferred`)
}
