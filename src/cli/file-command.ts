// What the commands that take a FILE have in common: its options, its own help, and how an end is chosen.
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { LEVELS, type Level } from '../base/log.ts'
import { declaredArguments } from '../client/program-file.ts'
import { argumentsHelp } from './arguments-help.ts'
import { parseDuration } from './durations.ts'
import { errorExitCode } from './ending.ts'
import type { Invocation } from './main.ts'
import type { FileOptions, RunRequest } from './run-request.ts'
import { neverLoaded, unlessStuck } from './unsettled.ts'
import { Voice } from './voice.ts'

/** More processes than this on one machine is a slip of the keyboard. */
const EXECUTORS_MAX = 256
const PORT_MAX = 65_535

export type FileFlags = FileOptions & { readonly help?: boolean }
export type RunFlags = Omit<RunRequest, 'file' | 'tokens' | 'doors'> & { readonly help?: boolean }

// Help is an option like others here: with a FILE it lists the file's arguments, and so has to load it.
export function fileCommand(name: string, description: string): Command {
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

export async function helped(
  invocation: Invocation,
  command: Command,
  file: string | undefined,
  flags: FileFlags,
): Promise<boolean> {
  if (flags.help !== true) {
    if (file === undefined) command.error(`error: which FILE? see ${pathOf(command)} --help`)
    return false
  }
  process.stdout.write(command.helpInformation())
  if (file === undefined) return true
  try {
    const declared = await unlessStuck(
      declaredArguments(resolve(file), invocation.main.doors),
      () => neverLoaded(file),
    )
    process.stdout.write(`\n${argumentsHelp(file, declared)}`)
  } catch (error) {
    voiceOf(invocation, flags).error(error)
    invocation.exit = errorExitCode(error)
  }
  return true
}

// `gear app run`
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

export function voiceOf({ command }: Invocation, { logLevel, json }: FileFlags): Voice {
  return new Voice({ command, stderr: process.stderr, level: logLevel, json: json === true })
}

export function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** How many processes, and when to end. */
export function withRunOptions(command: Command): Command {
  return command
    .option('--executors <n>', 'processes that share the work', executors, 1)
    .option('--until-drained', 'end when every source is exhausted or idle, and all is done')
    .option(
      '--idle <time>',
      'a source silent for so long is idle (3s); implies --until-drained',
      time,
    )
    .option('--for <time>', 'end after this time: 500ms, 30s, 5m, 1h', positiveTime)
    .option(
      '--stats',
      'figures of each component: a live table on a terminal, else one JSON line at the end',
    )
}

function executors(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= EXECUTORS_MAX) return value
  throw new InvalidArgumentError(`must be a whole number from 1 to ${EXECUTORS_MAX}.`)
}

/** Of cores or megabytes. */
export function amount(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('must be a number from 0.')
}

/** 0 = any. */
export function portNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= PORT_MAX) return value
  throw new InvalidArgumentError(`must be a whole number from 0 to ${PORT_MAX}.`)
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
