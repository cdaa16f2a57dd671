// What the commands have in common that run until they are told to end: their flags, and their life.
import { Command, Option } from 'commander'
import { LEVELS, type Level } from '../base/log.ts'
import { EXIT_OK, errorExitCode } from './ending.ts'
import { Interrupts } from './interrupts.ts'
import { Voice } from './voice.ts'

export interface RoleFlags {
  readonly config?: string
  readonly json?: boolean
  readonly logLevel: Level
}

/** Ends by itself only when it cannot go on. */
export interface Role {
  readonly failure: Promise<unknown>
  close(): Promise<void>
}

/** Longer than closing executors may take. */
const CLOSE_MAX_MS = 15_000

export function roleCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'gear.yaml')
    .option('--json', 'log lines as JSON objects')
    .addOption(
      new Option('--log-level <level>', 'least level of log lines')
        .choices(LEVELS)
        .default('info' satisfies Level),
    )
    .argument('[settings...]', 'settings by their full names: --worker.slots 4')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nEvery setting of gear.yaml may be given as a flag under its full name.',
    )
}

export async function runRole(
  flags: RoleFlags,
  open: (voice: Voice) => Promise<Role>,
): Promise<number> {
  const { logLevel, json } = flags
  const voice = new Voice({
    command: 'gear',
    stderr: process.stderr,
    level: logLevel,
    json: json === true,
  })
  const interrupts = new Interrupts()
  let role: Role | undefined
  let exit = EXIT_OK
  try {
    role = await open(voice)
    // One that came while it was opened is not told again.
    if (interrupts.count === 0)
      await Promise.race([interrupts.next(), interrupts.crashed, role.failure])
  } catch (error) {
    voice.error(error)
    exit = errorExitCode(error)
  }
  const late = new Promise<void>(resolve => void setTimeout(resolve, CLOSE_MAX_MS).unref())
  await Promise.race([role?.close(), late, ...(exit === EXIT_OK ? [interrupts.next()] : [])])
  interrupts.close()
  return exit
}
