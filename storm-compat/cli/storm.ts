// The `storm` command as Storm's users type it: finds the verb, runs it, and makes an exit code of how it ended: 0 done,
// 1 failed, 2 the command line is wrong.
import { nearestName, UserError } from 'gearpump/spi'
import { leadingOptions } from './command-line.ts'
import { errorText } from './error-line.ts'
import { realSurroundings } from './surroundings.ts'
import { StormUsageError } from './usage-error.ts'
import {
  EXIT_FAILED,
  EXIT_OK,
  EXIT_USAGE,
  type Gear,
  type Surroundings,
  type Verb,
} from './verb.ts'
import { verbs } from './verbs.ts'

export type { Gear } from './verb.ts'

/** Runs one command line (without node and script); resolves with the exit code. */
export async function storm(
  argv: readonly string[],
  gear: Gear,
  around: Surroundings = realSurroundings(gear),
): Promise<number> {
  const { options, rest: line } = leadingOptions(argv)
  const [name, ...rest] = line
  if (name === undefined) {
    around.note(usage())
    return EXIT_FAILED
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(rest[0], around)
  const verb = verbs.get(name === '--version' ? 'version' : name)
  if (verb === undefined) {
    around.note(`storm: ${unknownVerb(name)}`)
    return EXIT_USAGE
  }
  return runVerb({ name, verb, options }, rest, around)
}

async function runVerb(
  { name, verb, options }: { name: string; verb: Verb; options: readonly string[] },
  argv: readonly string[],
  around: Surroundings,
): Promise<number> {
  if (asksForHelp(name, argv)) return help(name, around)
  try {
    return await verb.run([...options, ...argv], around)
  } catch (error) {
    if (error instanceof StormUsageError) {
      around.note(`storm: ${error.message}\nusage: ${verb.usage}`)
      return EXIT_USAGE
    }
    around.note(`storm: ${errorText(error)}`)
    return error instanceof UserError ? EXIT_USAGE : EXIT_FAILED
  } finally {
    await around.drained()
  }
}

// What stands behind the main class or the command belongs to that program.
function asksForHelp(name: string, argv: readonly string[]): boolean {
  const own = name === 'jar' || name === 'shell' ? argv.slice(0, 1) : argv
  return own.includes('--help') || own.includes('-h')
}

function help(name: string | undefined, around: Surroundings): number {
  const verb = name === undefined ? undefined : verbs.get(name)
  if (verb === undefined) around.out(`${usage()}\n`)
  else around.out(verb.help ?? `Usage: ${verb.usage}\n\n${capital(verb.summary)}.\n`)
  return EXIT_OK
}

function usage(): string {
  const rows = [...verbs].map(([name, { summary }]) => `  ${name.padEnd(18)} ${summary}`)
  return [
    'Usage: storm VERB …          "storm help VERB" tells more',
    '',
    ...rows,
    '',
    'Options of every verb that speaks to a cluster:',
    '  -c KEY=VALUE       a setting, as in -c \'nimbus.seeds=["host"]\'; may be repeated',
    '  --config FILE      a configuration in place of ~/.storm/storm.yaml',
  ].join('\n')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function unknownVerb(name: string): string {
  const near = nearestName(name, verbs.keys())
  const hint =
    near === undefined ? '"storm help" lists what there is' : `did you mean "storm ${near}"?`
  return `there is no "storm ${name}"; ${hint}`
}
