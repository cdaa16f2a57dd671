// The command line: reads it, and hands over to `run` and `check`. Answers with the exit code: 0 well, 1 the run failed,
// 2 the input or the usage is wrong.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { LEVELS, type Level } from '../base/log.ts'
import { declaredArguments } from '../client/program-file.ts'
import { argumentsHelp } from './arguments-help.ts'
import { checkFile } from './check.ts'
import { parseDuration } from './durations.ts'
import { EXIT_BAD_INPUT, EXIT_OK, errorExitCode } from './ending.ts'
import { splitArguments } from './file-arguments.ts'
import { runFile } from './run.ts'
import type { FileOptions, RunRequest } from './run-request.ts'
import { Voice } from './voice.ts'

/** More processes than this on one machine is a slip of the keyboard. */
const EXECUTORS_MAX = 256

/** Who does not read is not waited for. */
const WRITE_MAX_MS = 5000

export interface MainOptions {
  /** Front doors, asked in this order for files that are not modules of ours: `['gearpump/storm']`. */
  readonly doors: readonly string[]
  /** How the user calls the command. */
  readonly command?: string
  /** How the user calls what is `run` here. */
  readonly runName?: string
}

interface Invocation {
  readonly main: MainOptions
  readonly command: string
  readonly tokens: readonly string[]
  exit: number
}

type FileFlags = FileOptions & { readonly help?: boolean }
type RunFlags = Omit<RunRequest, 'file' | 'tokens' | 'doors'> & { readonly help?: boolean }

/** Runs one command line (without node and script); resolves with the exit code. */
export async function main(argv: readonly string[], options: MainOptions): Promise<number> {
  // Who cannot be told anything need not be told that.
  process.stderr.on('error', () => undefined)
  const [own, tokens] = splitArguments(argv)
  const invocation: Invocation = {
    main: options,
    command: options.command ?? 'gear',
    tokens,
    exit: EXIT_OK,
  }
  try {
    await program(invocation).parseAsync(own, { from: 'user' })
    return invocation.exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has written already what there is to say.
    return error.exitCode === 0 ? EXIT_OK : EXIT_BAD_INPUT
  } finally {
    await written(process.stderr)
  }
}

// The process exits next, and a pipe with a slow reader would lose the last lines, which tell how it ended.
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    const late = setTimeout(resolve, WRITE_MAX_MS)
    stream.write('', () => {
      clearTimeout(late)
      resolve()
    })
  })
}

function program(invocation: Invocation): Command {
  const root = new Command(invocation.command)
    .description('Runs streaming applications: native DAGs and Storm topologies')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`${invocation.command}: ${text}${hintOf(text)}`),
    })
  root.addCommand(runCommand(invocation))
  root.addCommand(checkCommand(invocation))
  for (const command of root.commands) command.copyInheritedSettings(root)
  return root
}

function hintOf(text: string): string {
  const isOption = text.includes('unknown option') || text.includes('too many arguments')
  return isOption ? 'arguments of FILE itself come after --\n' : ''
}

function version(): string {
  const root = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json'
  const { version } = JSON.parse(readFileSync(new URL(root, import.meta.url), 'utf8'))
  return version as string
}

function runCommand(invocation: Invocation): Command {
  const command = fileCommand(
    invocation.main.runName ?? 'run',
    'runs a module (.ts, .js) or a Flux file (.yaml) on this machine',
  )
    .option('--executors <n>', 'processes that share the work; 1 = this one alone', executors, 1)
    .option('--until-drained', 'end when every source is exhausted or idle, and all is done')
    .option(
      '--idle <time>',
      'a source silent for so long is idle (3s); implies --until-drained',
      time,
    )
    .option('--for <time>', 'end after this time: 500ms, 30s, 5m, 1h', positiveTime)
    .option(
      '--log-dir <dir>',
      "where the components' log files go; default: a new directory, told at start",
    )
    .option(
      '--stats',
      'figures of each component: a live table on a terminal, else one JSON line at the end',
    )
  return command.action(async (file: string | undefined, flags: RunFlags) => {
    if (await helped(invocation, command, file, flags)) return
    const { doors } = invocation.main
    const request: RunRequest = { ...flags, file: file!, tokens: invocation.tokens, doors }
    invocation.exit = await runFile(request, process, voiceOf(invocation, flags))
  })
}

function checkCommand(invocation: Invocation): Command {
  const command = fileCommand('check', 'validates a file and runs nothing')
  return command.action(async (file: string | undefined, flags: FileFlags) => {
    if (await helped(invocation, command, file, flags)) return
    const { doors } = invocation.main
    const request = { ...flags, file: file!, tokens: invocation.tokens, doors }
    invocation.exit = await checkFile(request, process.stdout, voiceOf(invocation, flags))
  })
}

// Help is an option like others here: with a FILE it lists the file's arguments, and so has to load it.
function fileCommand(name: string, description: string): Command {
  const level = new Option('--log-level <level>', 'least level of log lines').choices(LEVELS)
  return new Command(name)
    .description(description)
    .usage('FILE [options] [-- arguments of FILE]')
    .argument('[FILE]')
    .allowExcessArguments(false)
    .helpOption(false)
    .option('--resources <dir>', 'what components need at run time; default: resources beside FILE')
    .option('--filter <file>', 'properties that fill in a Flux file')
    .option('--env-filter', 'fill ENV- properties in a Flux file from the environment')
    .option(
      '-c, --config <key=value>',
      'a setting that wins over the file; may be repeated',
      collected,
    )
    .option('--name <name>', "the application's name; wins over the file's")
    .addOption(level.default('info' satisfies Level))
    .option('--json', 'log lines as JSON objects')
    .option('-h, --help', 'this help; with FILE also the arguments that it declares')
}

async function helped(
  invocation: Invocation,
  command: Command,
  file: string | undefined,
  flags: FileFlags,
): Promise<boolean> {
  if (flags.help !== true) {
    if (file === undefined)
      command.error(`error: which FILE? see ${invocation.command} ${command.name()} --help`)
    return false
  }
  process.stdout.write(command.helpInformation())
  if (file === undefined) return true
  try {
    const declared = await declaredArguments(resolve(file), invocation.main.doors)
    process.stdout.write(`\n${argumentsHelp(file, declared)}`)
  } catch (error) {
    voiceOf(invocation, flags).error(error)
    invocation.exit = errorExitCode(error)
  }
  return true
}

function voiceOf({ command }: Invocation, { logLevel, json }: FileFlags): Voice {
  return new Voice({ command, stderr: process.stderr, level: logLevel, json: json === true })
}

function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

function executors(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= EXECUTORS_MAX) return value
  throw new InvalidArgumentError(`must be a whole number from 1 to ${EXECUTORS_MAX}.`)
}

function time(text: string): number {
  const ms = parseDuration(text)
  if (typeof ms === 'string') throw new InvalidArgumentError(ms)
  return ms
}

function positiveTime(text: string): number {
  const ms = time(text)
  if (ms > 0) return ms
  throw new InvalidArgumentError('must be more than 0.')
}
