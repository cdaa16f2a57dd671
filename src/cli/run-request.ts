// What `gear run` and `gear check` were asked for, and the plain options that a file is loaded with.
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Problem, UserError } from '../base/errors.ts'
import type { Level } from '../base/log.ts'
import type { ProgramOptions } from '../client/program-file.ts'
import { parseArguments } from './file-arguments.ts'
import { parseProperties } from './properties-file.ts'
import type { RunPlace } from './run-place.ts'
import { parseSettings } from './settings.ts'

/** Options of a file, as the command line gave them. */
export interface FileOptions {
  readonly resources?: string
  readonly filter?: string
  readonly envFilter?: boolean
  readonly config?: readonly string[]
  readonly name?: string
  readonly logLevel: Level
  readonly json?: boolean
}

export interface FileRequest extends FileOptions {
  readonly file: string
  /** What stood after `--`. */
  readonly tokens: readonly string[]
  readonly doors: readonly string[]
}

export interface RunRequest extends FileRequest {
  readonly executors: number
  readonly untilDrained?: boolean
  /** Given: implies untilDrained. */
  readonly idle?: number
  readonly for?: number
  readonly logDir?: string
  readonly stats?: boolean
  /** Given: it runs in a cluster. */
  readonly cluster?: ClusterRequest
}

/** Which cluster, and how it is placed there. */
export interface ClusterRequest {
  readonly master?: string
  readonly settings?: string
  readonly cpu?: number
  readonly memoryMb?: number
  readonly strategy?: string
  readonly label?: readonly string[]
  readonly bundle?: string
}

/** Throws a UserError with everything that is wrong with the options. */
export function programOptions(request: FileRequest, place: RunPlace): ProgramOptions {
  const { config, problems } = parseSettings(request.config ?? [])
  const found: Problem[] = [...problems]
  const properties = readProperties(request.filter, found)
  checkDirectory(request.resources, found)
  if (found.length > 0) throw new UserError('BAD_INPUT', 'options', found)
  const { resources } = request
  return {
    file: resolve(request.file),
    config,
    resources: resources === undefined ? undefined : resolve(resources),
    properties,
    envFilter: request.envFilter === true,
    args: parseArguments(request.tokens),
    runDir: place.runDir,
    logDir: place.logDir,
    startedMs: Date.now(),
    doors: request.doors,
    name: request.name,
  }
}

function readProperties(file: string | undefined, problems: Problem[]): Record<string, string> {
  if (file === undefined) return {}
  try {
    return parseProperties(readFileSync(file, 'utf8'))
  } catch (error) {
    problems.push({ place: '--filter', message: (error as Error).message })
    return {}
  }
}

function checkDirectory(directory: string | undefined, problems: Problem[]): void {
  if (directory === undefined) return
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return
  problems.push({ place: '--resources', message: `${resolve(directory)} is no directory` })
}
