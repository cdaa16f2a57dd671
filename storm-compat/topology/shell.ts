// Descriptions of multi-lang components: a command line, what it emits, and its environment. A description is plain
// data; the process is started by the runtime, once per task.
import type { Conf } from '../component/api.ts'
import type { Stream } from './topology.ts'

export interface ShellDescription {
  readonly shell: true
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly changeChildCwd: boolean
  readonly streams: ReadonlyMap<string, Stream>
  readonly config: Conf
}

export interface ShellOptions {
  /** Added to the environment of the process; PATH is appended to, as in Storm. */
  env?: Readonly<Record<string, string>>
  /** False: the process starts in the engine's working directory instead of the resources folder. */
  changeChildCwd?: boolean
  config?: Conf
}

/** Fields of the default stream, or all streams by name. */
export type ShellOutput = readonly string[] | Readonly<Record<string, readonly string[] | Stream>>

/** Describes a spout that runs as a child process: `shellSpout(['python3', 'words.py'], ['word'])`. */
export function shellSpout(
  command: readonly string[],
  output: ShellOutput,
  options: ShellOptions = {},
): ShellDescription {
  return describe(command, output, options)
}

/** Describes a bolt that runs as a child process; without `output` it emits nothing. */
export function shellBolt(
  command: readonly string[],
  output: ShellOutput = {},
  options: ShellOptions = {},
): ShellDescription {
  return describe(command, output, options)
}

export function isShell(value: unknown): value is ShellDescription {
  return typeof value === 'object' && value !== null && 'shell' in value && value.shell === true
}

function describe(
  command: readonly string[],
  output: ShellOutput,
  options: ShellOptions,
): ShellDescription {
  return {
    shell: true,
    command: [...command],
    env: { ...options.env },
    changeChildCwd: options.changeChildCwd ?? true,
    streams: streamsOf(output),
    config: { ...options.config },
  }
}

function streamsOf(output: ShellOutput): ReadonlyMap<string, Stream> {
  if (isFields(output)) return new Map([['default', { fields: [...output], direct: false }]])
  return new Map(
    Object.entries(output).map(([stream, declared]) => [
      stream,
      isFields(declared) ? { fields: [...declared], direct: false } : { ...declared },
    ]),
  )
}

// Array.isArray does not narrow readonly arrays.
function isFields(value: unknown): value is readonly string[] {
  return Array.isArray(value)
}
