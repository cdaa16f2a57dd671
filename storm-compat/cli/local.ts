// `storm local FILE [--local-ttl SECS] [-c k=v] …`: Storm's words for a local run, put into those of `gear run`; and
// `storm local X.jar org.apache.storm.flux.Flux topo.yaml`, whose resources are in the jar. What needs Java is submitted by the
// program of the jar to a Nimbus in this process.
import { resolve } from 'node:path'
import { type CommandLine, readCommandLine } from './command-line.ts'
import { isClassName } from './flux-files.ts'
import { FLUX_CLASSES, fluxCall } from './flux-options.ts'
import { runFlux } from './flux-run.ts'
import { type JarProgram, jarOptions, runMain } from './jar.ts'
import { submittingArguments } from './java-local.ts'
import { StormUsageError } from './usage-error.ts'
import type { Surroundings, Verb } from './verb.ts'

/** Storm 2.x runs a local topology for so long when nothing is said. */
const LOCAL_TTL_SECS = 20

/** Short forms of Flux. */
const FLUX_FLAGS: Readonly<Record<string, string>> = { '-e': '--env-filter', '-f': '--filter' }

const usage = `Usage: storm local FILE [options]
       storm local TOPOLOGY.jar org.apache.storm.flux.Flux [options of Flux] FILE [--local-ttl SECS]
       storm local TOPOLOGY.jar MAIN_CLASS [ARGS…] [--local-ttl SECS]

Runs a topology on this machine: a Flux file (.yaml), a module (.ts, .js) that exports one, or what a program in Java
submits.

  --local-ttl SECS   end after so many seconds; ${LOCAL_TTL_SECS} if not given, as in Storm; 0 = run until Ctrl-C
  -c KEY=VALUE       a setting that wins over the file's; may be repeated
  --filter FILE      properties for \${name} in a Flux file
  --env-filter       fill \${ENV-NAME} in a Flux file from the environment
  --resources DIR    what components need at run time; default: resources beside FILE
  and all other options of "gear run": --executors, --until-drained, --stats, --log-level, --name …
`

export const localVerb: Verb = {
  usage: 'storm local FILE [--local-ttl SECS] [options]',
  summary: 'runs a topology on this machine: a Flux file, or a module that exports one',
  help: usage,
  async run(argv, around) {
    const call = jarCall(argv)
    if (call !== undefined) return runOfJar(call, around)
    const { args, notice } = gearArguments(argv)
    if (notice !== undefined) around.note(`storm: ${notice}`)
    return around.gear(args, { doors: ['gearpump/storm'], command: 'storm', runName: 'local' })
  },
}

/** `X.jar MAIN_CLASS ARGS…`, with the options of `storm jar`. */
interface JarCall extends JarProgram {
  readonly line: CommandLine
  readonly forMs: number
}

// Undefined: no jar and the name of a class behind it.
function jarCall(argv: readonly string[]): JarCall | undefined {
  const own = [...argv]
  const forMs = (takeTtl(own) ?? LOCAL_TTL_SECS) * 1000
  const line = readCommandLine(own, jarOptions, 'keep')
  const [jar = '', mainClass = '', ...args] = line.words
  if (!jar.endsWith('.jar') || !isClassName(mainClass)) return undefined
  return { line, forMs, jar, mainClass, args }
}

async function runOfJar(
  { line, forMs, ...program }: JarCall,
  around: Surroundings,
): Promise<number> {
  const { jar, mainClass, args } = program
  if (!FLUX_CLASSES.includes(mainClass)) return runMain(line, program, around, forMs)
  const call = { ...fluxCall(args), localForMs: forMs }
  const outcome = await runFlux(line, resolve(around.cwd, jar), call, around)
  if (typeof outcome === 'number') return outcome
  around.note(`storm: ${outcome.needsJava} needs Java; the Flux of the jar is run`)
  const submitting = { ...program, args: submittingArguments(args) }
  return runMain(line, submitting, around, call.dryRun ? undefined : forMs)
}

export interface GearArguments {
  readonly args: readonly string[]
  readonly notice: string | undefined
}

/** For `gear`, with its `run` called `local`. Throws a StormUsageError. */
export function gearArguments(argv: readonly string[]): GearArguments {
  const end = argv.indexOf('--')
  const own = end < 0 ? [...argv] : argv.slice(0, end)
  const behind = end < 0 ? [] : argv.slice(end)
  refuseJar(own)
  const ttl = takeTtl(own)
  const begin = ['local', ...own.map(word => FLUX_FLAGS[word] ?? word)]
  if (own.includes('--for') && ttl !== undefined) {
    throw new StormUsageError('give --local-ttl or --for, not both')
  }
  if (own.includes('--for')) return { args: [...begin, ...behind], notice: undefined }
  if (ttl === 0) {
    const notice = '--local-ttl 0: runs until Ctrl-C (Storm would end at once)'
    return { args: [...begin, ...behind], notice }
  }
  const secs = ttl ?? LOCAL_TTL_SECS
  const notice =
    ttl === undefined
      ? `runs for ${secs} s, as Storm does; --local-ttl SECS changes it, 0 = until Ctrl-C`
      : undefined
  return { args: [...begin, '--for', `${secs}s`, ...behind], notice }
}

function refuseJar(own: readonly string[]): void {
  const jar = own.find(word => word.endsWith('.jar'))
  if (jar === undefined) return
  const yaml = own.find(word => /\.ya?ml$/.test(word))
  const hint =
    yaml === undefined
      ? `give the class to run behind it: storm local ${jar} MAIN_CLASS`
      : `a Flux file needs no jar: storm local ${yaml}`
  throw new StormUsageError(`${jar}: ${hint}`)
}

function takeTtl(own: string[]): number | undefined {
  let ttl: number | undefined
  for (let at = position(own); at >= 0; at = position(own)) {
    const [, attached] = own[at]!.split('=')
    const text = attached ?? own[at + 1] ?? ''
    if (!/^\d{1,7}$/.test(text)) {
      throw new StormUsageError(`--local-ttl "${text}": write whole seconds, as in --local-ttl 60`)
    }
    ttl = Number(text)
    own.splice(at, attached === undefined ? 2 : 1)
  }
  return ttl
}

function position(own: readonly string[]): number {
  return own.findIndex(word => word === '--local-ttl' || word.startsWith('--local-ttl='))
}
