// The command line of Flux itself, as `storm jar X.jar org.apache.storm.flux.Flux …` passes it on. Storm 1.x runs a topology
// with --local for a minute; Storm 2.x ignores --local and --remote, and submits.
import { given, one, readCommandLine } from './command-line.ts'
import { StormUsageError } from './usage-error.ts'

/** Main classes of Flux, by Storm's name of its packages. */
export const FLUX_CLASSES: readonly string[] = [
  'org.apache.storm.flux.Flux',
  'backtype.storm.flux.Flux',
]

/** Storm 1.x, when --sleep says nothing. */
const LOCAL_RUN_MS = 60_000

export interface FluxCall {
  readonly yaml: string
  /** The path is one inside the jar; so is that of the filter. */
  readonly resource: boolean
  readonly filter: string | undefined
  readonly envFilter: boolean
  readonly inactive: boolean
  readonly dryRun: boolean
  readonly detail: boolean
  /** undefined = submit. */
  readonly localForMs: number | undefined
}

/** Throws a StormUsageError. */
export function fluxCall(args: readonly string[]): FluxCall {
  const line = readCommandLine(args, {
    local: { flags: ['-l', '--local'], takes: 'nothing' },
    remote: { flags: ['-r', '--remote'], takes: 'nothing' },
    resource: { flags: ['-R', '--resource'], takes: 'nothing' },
    sleep: { flags: ['-s', '--sleep'], takes: 'one' },
    dryRun: { flags: ['-d', '--dry-run'], takes: 'nothing' },
    noDetail: { flags: ['-q', '--no-detail'], takes: 'nothing' },
    noSplash: { flags: ['-n', '--no-splash'], takes: 'nothing' },
    inactive: { flags: ['-i', '--inactive'], takes: 'nothing' },
    zookeeper: { flags: ['-z', '--zookeeper'], takes: 'one' },
    filter: { flags: ['-f', '--filter'], takes: 'one' },
    envFilter: { flags: ['-e', '--env-filter'], takes: 'nothing' },
  })
  const [yaml, extra] = line.words
  if (yaml === undefined) throw new StormUsageError('Flux needs a YAML file')
  if (extra !== undefined) throw new StormUsageError(`unexpected argument "${extra}" of Flux`)
  const local = given(line, 'local') && !given(line, 'remote')
  return {
    yaml,
    resource: given(line, 'resource'),
    filter: one(line, 'filter'),
    envFilter: given(line, 'envFilter'),
    inactive: given(line, 'inactive'),
    dryRun: given(line, 'dryRun'),
    detail: !given(line, 'noDetail'),
    localForMs: local ? sleepMs(one(line, 'sleep')) : undefined,
  }
}

function sleepMs(text: string | undefined): number {
  if (text === undefined) return LOCAL_RUN_MS
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text)
  throw new StormUsageError(`--sleep ${text}: write milliseconds, as in --sleep 60000`)
}
