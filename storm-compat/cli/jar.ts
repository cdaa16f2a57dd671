// `storm jar X.jar Main ARGS…`: runs a program that submits a topology. Flux with shell components needs no JVM for that;
// every other main class is run by Java, as Storm's own command does it.
import { resolve } from 'node:path'
import { type CommandLine, given, type OptionTable, one, readCommandLine } from './command-line.ts'
import { FLUX_CLASSES, fluxCall } from './flux-options.ts'
import { runFlux } from './flux-run.ts'
import { type JavaProgram, runJava } from './java-launch.ts'
import { runJavaHere, submittingArguments } from './java-local.ts'
import { checkFile } from './upload.ts'
import { StormUsageError } from './usage-error.ts'
import type { Surroundings, Verb } from './verb.ts'

/** Storm's options of client jars. */
export const jarOptions = {
  jars: { flags: ['--jars'], takes: 'one' },
  artifacts: { flags: ['--artifacts'], takes: 'one' },
  repositories: { flags: ['--artifactRepositories'], takes: 'one' },
  mavenFolder: { flags: ['--mavenLocalRepositoryDirectory'], takes: 'one' },
  proxyUrl: { flags: ['--proxyUrl'], takes: 'one' },
  proxyUsername: { flags: ['--proxyUsername'], takes: 'one' },
  proxyPassword: { flags: ['--proxyPassword'], takes: 'one' },
  serverClasspath: { flags: ['--storm-server-classpath'], takes: 'nothing' },
} as const satisfies OptionTable

export const jarVerb: Verb = {
  usage: 'storm jar TOPOLOGY.jar MAIN_CLASS [ARGS…] [--jars A.jar,B.jar]',
  summary: 'runs a program that submits its topology; Flux with shell components needs no Java',
  async run(argv, around) {
    const line = readCommandLine(argv, jarOptions, 'keep')
    const [jar, mainClass, ...args] = line.words
    if (jar === undefined) throw new StormUsageError('topology-jar-path is missing')
    if (mainClass === undefined) throw new StormUsageError('topology-main-class is missing')
    if (FLUX_CLASSES.includes(mainClass)) {
      const outcome = await runFlux(line, resolve(around.cwd, jar), fluxCall(args), around)
      if (typeof outcome === 'number') return outcome
      around.note(`storm: ${outcome.needsJava} needs Java; the Flux of the jar is run`)
      const { localForMs, dryRun } = fluxCall(args)
      if (localForMs !== undefined && !dryRun) {
        return runMain(
          line,
          { jar, mainClass, args: submittingArguments(args) },
          around,
          localForMs,
        )
      }
    }
    return runMain(line, { jar, mainClass, args }, around)
  },
}

export type JarProgram = Pick<JavaProgram, 'jar' | 'mainClass' | 'args'>

/** Runs the program of a jar; with `localForMs` also what it submits, here and for so long (0: until Ctrl-C). */
export async function runMain(
  line: CommandLine,
  program: JarProgram,
  around: Surroundings,
  localForMs?: number,
): Promise<number> {
  await checkFile(resolve(around.cwd, program.jar))
  if (one(line, 'artifacts')) {
    throw new StormUsageError(
      '--artifacts is not resolved by this version: download the jars, and name them by --jars A.jar,B.jar',
    )
  }
  const jars = (one(line, 'jars') ?? '').split(',').filter(jar => jar !== '')
  const java = { ...program, jars, serverClassPath: given(line, 'serverClasspath') }
  return localForMs === undefined
    ? runJava(line, java, around)
    : runJavaHere(line, java, localForMs, around)
}
