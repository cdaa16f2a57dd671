// What the commands of a cluster have in common: which masters, what they are shown, and settings as flags.
import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { asError, EngineError } from '../base/errors.ts'
import { LEVELS, type Level } from '../base/log.ts'
import { connect } from '../client/connect.ts'
import type { ClusterGear, SubmitOptions } from '../client/gear.ts'
import { bundleLimits } from '../cluster/bundle.ts'
import { loadSettings } from '../cluster/settings.ts'
import type { SettingName, Settings } from '../cluster/settings-table.ts'
import { clientToken } from '../deploy/node-settings.ts'
import type { Voice } from './voice.ts'

/** Masters may be named once for all commands. */
const MASTERS_VARIABLE = 'GEAR_MASTERS'
const TOKEN_VARIABLE = 'GEAR_TOKEN'

export interface ClientFlags {
  readonly master?: string
  readonly config?: string
  readonly json?: boolean
  readonly logLevel: Level
}

/** A command that talks to masters. */
export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--master <host:port,…>',
      `masters; default: $${MASTERS_VARIABLE}, else those of --settings`,
    )
    .option('--settings <file>', 'gear.yaml with cluster.masters and security')
    .addOption(
      new Option('--log-level <level>', 'least level of log lines')
        .choices(LEVELS)
        .default('warn' satisfies Level),
    )
    .addHelpText(
      'after',
      `\nThe token of a cluster: $${TOKEN_VARIABLE}, else security.token of --settings.`,
    )
}

/** A command that asks masters something. */
export function queryCommand(name: string, description: string): Command {
  return clientCommand(name, description).option('--json', 'one JSON value instead of a table')
}

/** Opens the way to the masters. */
export async function openGear(
  flags: { readonly master?: string; readonly settings?: string },
  voice: Voice,
): Promise<ClusterGear> {
  const { values } = await loadSettings({ path: flags.settings })
  return openGearOf(values, flags.master, voice)
}

/** The same with settings that were read already. */
export async function openGearOf(
  values: Settings,
  master: string | undefined,
  voice: Voice,
): Promise<ClusterGear> {
  const named = master ?? process.env[MASTERS_VARIABLE]
  const masters = named?.split(',').filter(text => text.trim() !== '') ?? values['cluster.masters']
  const token = process.env[TOKEN_VARIABLE] ?? (await clientToken(values))
  const ca = await caOf(values)
  return connect({
    masters,
    log: voice.log,
    bundleLimits: bundleLimits(values),
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
}

/** What the file of settings says of applications; what it does not say is left to the cluster. */
export async function applicationSettings(path: string | undefined): Promise<SubmitOptions> {
  const { values, sources } = await loadSettings({ path })
  const given = (name: SettingName) => sources[name] !== 'default'
  return {
    each: { cpu: values['executor.cpu'], memoryMb: values['executor.memoryMb'] },
    restarts: {
      executors: values['restarts.executors'],
      windowMs: values['restarts.windowMs'],
    },
    ...(given('scheduler.strategy') ? { strategy: values['scheduler.strategy'] } : {}),
    ...(given('scheduler.labels') ? { labels: values['scheduler.labels'] } : {}),
  }
}

async function caOf(settings: Settings): Promise<string | undefined> {
  const file = settings['security.tls.ca']
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch(asError)
  if (!(text instanceof Error)) return text
  throw new EngineError('FILE_NOT_FOUND', `security.tls.ca cannot be read: ${text.message}`)
}

/** Settings by their full names: `--worker.slots 4`, `--security.insecure`. What is no such flag is a mistake. */
export function settingFlags(tokens: readonly string[]): Record<string, string | true> {
  const flags: Record<string, string | true> = {}
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const match = /^--([\w.-]+)(?:=(.*))?$/s.exec(token)
    if (match === null || !match[1]!.includes('.')) {
      throw new EngineError('BAD_INPUT', `"${token}" is no option of this command`, {
        hint: 'settings are given by their full names: --worker.slots 4; see docs/settings.md',
      })
    }
    const next = tokens[i + 1]
    if (match[2] !== undefined) flags[match[1]!] = match[2]
    else if (next !== undefined && !next.startsWith('--')) {
      flags[match[1]!] = next
      i++
    } else flags[match[1]!] = true
  }
  return flags
}
