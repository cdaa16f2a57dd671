// The command line: reads it, and hands over to `run` and `check`. Answers with the exit code: 0 well, 1 the run failed,
// 2 the input or the usage is wrong.
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { checkFile } from './check.ts'
import { EXIT_BAD_INPUT, EXIT_OK } from './ending.ts'
import { splitArguments } from './file-arguments.ts'
import {
  type FileFlags,
  fileCommand,
  helped,
  type RunFlags,
  voiceOf,
  withRunOptions,
} from './file-command.ts'
import { runFile } from './run.ts'
import type { RunRequest } from './run-request.ts'

const CLUSTER_COMMANDS = ['local', 'master', 'worker', 'gateway', 'app', 'shell']

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

export interface Invocation {
  readonly main: MainOptions
  /** Words of the command line up to `--`. */
  readonly own: readonly string[]
  readonly command: string
  readonly tokens: readonly string[]
  exit: number
}

/** Runs one command line (without node and script); resolves with the exit code. */
export async function main(argv: readonly string[], options: MainOptions): Promise<number> {
  // Who cannot be told anything need not be told that.
  process.stderr.on('error', () => undefined)
  if (!hasWorkingDirectory()) {
    const command = options.command ?? 'gear'
    process.stderr.write(
      `${command}: error: the working directory is gone; cd to one that exists\n`,
    )
    return EXIT_BAD_INPUT
  }
  const [own, tokens] = splitArguments(argv)
  const invocation: Invocation = {
    main: options,
    command: options.command ?? 'gear',
    own,
    tokens,
    exit: EXIT_OK,
  }
  try {
    await (await program(invocation)).parseAsync(own, { from: 'user' })
    return invocation.exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has written already what there is to say.
    return error.exitCode === 0 ? EXIT_OK : EXIT_BAD_INPUT
  } finally {
    await written(process.stderr)
  }
}

// Without one Node does not even fail: its loader of modules waits for itself, and hears no signal.
function hasWorkingDirectory(): boolean {
  try {
    process.cwd()
    return true
  } catch {
    return false
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

async function program(invocation: Invocation): Promise<Command> {
  const root = new Command(invocation.command)
    .description('Runs streaming applications: native DAGs and Storm topologies')
    .version(version(), '-V, --version')
    .exitOverride()
    // `gear worker list --master …`: the option is the list's, though `gear worker` has one too.
    .enablePositionalOptions()
    .configureOutput({
      outputError: (text, write) => write(`${invocation.command}: ${text}${hintOf(text)}`),
    })
  root.addCommand(runCommand(invocation))
  root.addCommand(checkCommand(invocation))
  // What a cluster needs is loaded for its own commands only: `gear run` begins sooner.
  const [first] = invocation.own
  const asksHelp = first === undefined || first === 'help' || first === '--help' || first === '-h'
  if (invocation.main.runName === undefined && (asksHelp || CLUSTER_COMMANDS.includes(first))) {
    const { clusterCommands } = await import('./cluster-commands.ts')
    for (const command of clusterCommands(invocation)) root.addCommand(command)
  }
  inherit(root)
  return root
}

function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent)
    inherit(command)
  }
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
  const command = withRunOptions(
    fileCommand(
      invocation.main.runName ?? 'run',
      'runs a module (.ts, .js) or a Flux file (.yaml) on this machine',
    ),
  ).option(
    '--log-dir <dir>',
    "where the components' log files go; default: a new directory, told at start",
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
