// Settings of a cluster's processes: flags win over `gear.yaml`, which wins over the defaults of settings-table.ts. Every
// mistake is told at once, with its line or flag and the nearest name. `checkExposure` refuses to listen to a network without
// security; `describeSettings` tells all of it, without the secrets.
import { readFile } from 'node:fs/promises'
import { availableParallelism, homedir, hostname, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { asError, EngineError, nearestName, type Problem, UserError } from '../base/errors.ts'
import { isLoopback } from './loopback.ts'
import {
  checkedValue,
  flagNode,
  type Surroundings,
  safeText,
  surroundingsOf,
} from './setting-value.ts'
import { type MapNode, parseSettings, type SettingNode } from './settings-file.ts'
import {
  type HostFacts,
  type Setting,
  type SettingName,
  type Settings,
  settingsTable,
} from './settings-table.ts'

export interface SettingsInput {
  /** By the settings' full names; a flag without a value is `true`. */
  readonly flags?: Readonly<Record<string, string | true>>
  /** The text of `gear.yaml`, and its path as the user knows it. */
  readonly file?: { readonly path: string; readonly text: string }
  readonly host: HostFacts
}

export interface ResolvedSettings {
  readonly values: Settings
  /** Where each value is from: `gear.yaml:3:5`, `--worker.slots` or `default`. */
  readonly sources: Readonly<Record<SettingName, string>>
}

const table: Readonly<Record<string, Setting>> = settingsTable
const names = Object.keys(settingsTable) as SettingName[]

/** Reads the file, if one is named, and resolves all settings for this host. */
export async function loadSettings(options: {
  readonly path?: string | undefined
  readonly flags?: Readonly<Record<string, string | true>>
}): Promise<ResolvedSettings> {
  const { path, flags = {} } = options
  const host = hostFacts()
  if (path === undefined) return resolveSettings({ flags, host })
  const text = await readFile(path, 'utf8').catch(asError)
  if (text instanceof Error)
    throw new EngineError('FILE_NOT_FOUND', `settings cannot be read from ${path}: ${text.message}`)
  return resolveSettings({ flags, file: { path, text }, host })
}

export function hostFacts(): HostFacts {
  return {
    cores: availableParallelism(),
    memoryMb: Math.floor(totalmem() / 2 ** 20),
    hostName: hostname(),
    homeDir: homedir(),
    currentDir: process.cwd(),
  }
}

/**
 * All settings, or a UserError with every mistake.
 *
 * @example resolveSettings({ flags: { 'worker.slots': '4' }, host: hostFacts() }).values['worker.slots'] // 4
 */
export function resolveSettings({ flags = {}, file, host }: SettingsInput): ResolvedSettings {
  const reading = new Reading()
  if (file !== undefined) {
    const { path, text } = file
    const around = {
      baseDir: dirname(resolve(host.currentDir, path)),
      homeDir: host.homeDir,
    }
    const root = parseSettings(path, text, reading.problems)
    if (root !== undefined) reading.map(root, '', around)
  }
  reading.flags(flags, host)
  const values: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const name of names) {
    const given = reading.given.get(name)
    values[name] = given === undefined ? defaultOf(table[name]!, host) : given.value
    sources[name] = given?.place ?? 'default'
  }
  if (values['cluster.store'] === undefined) {
    const { length } = values['cluster.masters'] as Settings['cluster.masters']
    values['cluster.store'] = length > 1 ? 'etcd' : 'journal'
  }
  const resolved = { values, sources } as unknown as ResolvedSettings
  if (reading.problems.length === 0) reading.problems.push(...contradictions(resolved))
  if (reading.problems.length > 0)
    throw new UserError('SETTINGS_INVALID', 'settings of the cluster', reading.problems)
  return resolved
}

function defaultOf(setting: Setting, host: HostFacts): unknown {
  const { default: fallback } = setting
  return typeof fallback === 'function' ? (fallback as (h: HostFacts) => unknown)(host) : fallback
}

/** Collects what is given and what is wrong with it. Later values win. */
class Reading {
  readonly given = new Map<string, { value: unknown; place: string }>()
  readonly problems: Problem[] = []

  // `worker: {slots: 4}` and `worker.slots: 4` are the same.
  map(map: MapNode, prefix: string, around: Surroundings): void {
    for (const { key, keyPlace, value } of map.entries) {
      const name = `${prefix}${key}`
      if (Object.hasOwn(table, name)) {
        const before = this.given.get(name)
        if (before === undefined) this.take(name, value, value.place, around)
        else this.problem(keyPlace, `${name} stands at ${before.place} already`)
      } else if (!names.some(known => known.startsWith(`${name}.`))) {
        this.unknown(name, keyPlace)
      } else if (value.kind === 'map') this.map(value, `${name}.`, around)
      // A section may stay empty.
      else if (value.kind !== 'scalar' || value.value !== null)
        this.problem(value.place, `${name} has settings below it, and no value of its own`)
    }
  }

  flags(flags: Readonly<Record<string, string | true>>, host: HostFacts): void {
    for (const [name, text] of Object.entries(flags)) {
      const place = `--${name}`
      const setting = Object.hasOwn(table, name) ? table[name] : undefined
      if (setting === undefined) this.unknown(name, place)
      else if (text === true && setting.type !== 'boolean')
        this.problem(place, 'has no value: write one after it')
      else this.take(name, flagNode(setting, String(text), place), place, surroundingsOf(host))
    }
  }

  take(name: string, node: SettingNode, place: string, around: Surroundings): void {
    const checked = checkedValue(table[name]!, node, around)
    if ('value' in checked) this.given.set(name, { value: checked.value, place })
    else this.problem(checked.place, `${name} ${checked.wrong}`)
  }

  unknown(name: string, place: string): void {
    const near = nearestName(name, names)
    const hint = near === undefined ? 'docs/settings.md names all' : `did you mean ${near}?`
    this.problems.push({ place, message: `there is no setting ${name}`, hint })
  }

  problem(place: string, message: string): void {
    this.problems.push({ place, message })
  }
}

// Values that are right one by one, and wrong together.
function contradictions({ values, sources }: ResolvedSettings): Problem[] {
  const problems: Problem[] = []
  const problem = (name: SettingName, message: string, hint: string) => {
    const place = sources[name] === 'default' ? name : sources[name]
    problems.push({ place, message: `${name} ${message}`, hint })
  }
  const tls = ['security.tls.ca', 'security.tls.cert', 'security.tls.key'] as const
  const absent = tls.filter(name => values[name] === undefined)
  // The authority alone is what a client needs; roles ask for all three (node-settings.ts).
  const own = tls.slice(1).find(name => values[name] !== undefined)
  if (own !== undefined && absent.length > 0)
    problem(
      own,
      `is given without ${absent.join(' and ')}`,
      'a process of the cluster needs all three',
    )
  const gateway = ['gateway.tls.cert', 'gateway.tls.key'] as const
  const named = (['gateway.tls.ca', ...gateway] as const).find(name => values[name] !== undefined)
  const missing = gateway.filter(name => values[name] === undefined)
  if (named !== undefined && missing.length > 0)
    problem(named, `is given without ${missing.join(' and ')}`, 'TLS needs both')
  if (values['security.token'] !== undefined && values['security.tokenFile'] !== undefined)
    problem('security.tokenFile', 'is given beside security.token', 'leave one of them out')
  const masters = values['cluster.masters'].length
  if (values['cluster.store'] === 'journal' && masters > 1)
    problem('cluster.store', `is a journal, and there are ${masters} masters`, 'write etcd')
  return problems
}

/**
 * Throws SECURITY_REQUIRED if this process would serve a network without security and nobody has said that it may. A
 * worker has no business with clients, so it needs no token.
 */
export function checkExposure(settings: Settings, role: 'master' | 'worker'): void {
  const bind = settings['host.bind']
  if (isLoopback(bind) || settings['security.insecure']) return
  const missing: string[] = []
  if (settings['security.tls.cert'] === undefined) missing.push('TLS')
  const token = settings['security.token'] ?? settings['security.tokenFile']
  if (role === 'master' && token === undefined) missing.push('a token')
  if (missing.length === 0) return
  throw new EngineError(
    'SECURITY_REQUIRED',
    `listening on ${bind} without ${missing.join(' and ')} would let everybody who reaches it run code here`,
    {
      hint: 'set security.tls.* and security.tokenFile, or host.bind: 127.0.0.1, or security.insecure: true if that is meant',
      details: { bind },
    },
  )
}

/** The same for a gateway, whose clients show certificates of their own or passwords. */
export function checkGatewayExposure(settings: Settings): void {
  const bind = settings['gateway.bind']
  if (isLoopback(bind) || settings['security.insecure']) return
  if (settings['gateway.tls.ca'] !== undefined || settings['gateway.usersFile'] !== undefined)
    return
  throw new EngineError(
    'SECURITY_REQUIRED',
    `listening for clients on ${bind} without certificates of theirs and without users would let ` +
      'everybody who reaches it run code here',
    {
      hint:
        'set gateway.tls.* with gateway.tls.ca, or gateway.usersFile, or gateway.bind: 127.0.0.1, ' +
        'or security.insecure: true if that is meant',
      details: { bind },
    },
  )
}

export interface SettingLine {
  readonly name: SettingName
  readonly value: string
  readonly source: string
}

/** Every setting with its value and its source, for people; secrets are not shown. */
export function describeSettings({ values, sources }: ResolvedSettings): SettingLine[] {
  return names.map(name => ({
    name,
    value: shown(table[name]!, values[name]),
    source: sources[name],
  }))
}

function shown(setting: Setting, value: unknown): string {
  if (value === undefined) return '(none)'
  if (setting.secret === true) return '(secret)'
  return typeof value === 'string' ? value : safeText(JSON.stringify(value))
}
