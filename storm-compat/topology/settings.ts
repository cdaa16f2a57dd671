// Settings of topologies and components: the merge that a component sees (defaults < topology < component, as in
// Storm), and the check of what the user wrote. Front doors call checkSettings before a topology runs; the runtime
// calls effectiveConf once per component, and the result travels in the handshake of child processes.
import { nearestName, type Problem } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { clusterDefaults } from './cluster-defaults.ts'
import type { Setting, SettingType } from './setting-row.ts'
import { neverNull, settingsTable } from './settings-table.ts'
import type { Component, StormTopology } from './topology.ts'

export type { Setting, SettingType, Treatment } from './setting-row.ts'
export { settingsTable } from './settings-table.ts'

/** The conf of a component that sets nothing, in a topology that sets nothing: Storm 2.8's own defaults. */
export const defaults: Conf = {
  ...clusterDefaults,
  ...Object.fromEntries(
    [...settingsTable.values()].filter(s => s.default !== undefined).map(s => [s.key, s.default]),
  ),
}

/** What is known only when a topology is started. */
export interface RunNames {
  /** `name-N-epochSeconds`. */
  readonly stormId: string
  /** The name given at submission. */
  readonly name: string
  /** Who submitted it; empty if that is not known. */
  readonly user?: string
  /** `local` when everything runs for a test or a try-out, else `distributed`. */
  readonly mode?: 'local' | 'distributed'
}

/** The conf of the whole topology: Storm's defaults, then the topology's own settings, then the run's names. */
export function topologyConf(topology: StormTopology, run: RunNames): Conf {
  return {
    // Submission adds these to every conf in Storm; components find them there even if nobody set them.
    'topology.kryo.register': {},
    'topology.kryo.decorators': [],
    'topology.users': [],
    'storm.zookeeper.topology.auth.scheme': null,
    'storm.zookeeper.topology.auth.payload': null,
    'storm.zookeeper.superACL': null,
    ...defaults,
    ...topology.config,
    'storm.cluster.mode': run.mode ?? 'distributed',
    'storm.id': run.stormId,
    'topology.name': run.name,
    'topology.submitter.principal': '',
    'topology.submitter.user': run.user ?? '',
  }
}

/**
 * The conf that one component sees: defaults, overridden by the topology, overridden by the component. The names of
 * the run win over all.
 *
 * @example effectiveConf(topology, bolt, { stormId: 'wc-1-1700000000', name: 'wc' })['topology.debug']
 */
export function effectiveConf(topology: StormTopology, component: Component, run: RunNames): Conf {
  const whole = topologyConf(topology, run)
  return {
    ...whole,
    ...component.config,
    'storm.id': whole['storm.id'],
    'topology.name': whole['topology.name'],
  }
}

export interface SettingsReport {
  /** What must be mended before the topology can run. `place` is the setting's name. */
  readonly problems: Problem[]
  /** One line per setting that was set and does nothing here. */
  readonly notices: string[]
}

/** Checks settings as the user wrote them (a topology's or a component's own ones, without the defaults). */
export function checkSettings(conf: Conf): SettingsReport {
  const problems: Problem[] = []
  const notices: string[] = []
  for (const [key, value] of Object.entries(conf)) {
    const setting = settingsTable.get(key)
    if (setting === undefined) {
      const notice = unknownNotice(key)
      if (notice !== undefined) notices.push(notice)
      continue
    }
    const problem = problemOf(setting, value)
    if (problem !== undefined) problems.push(problem)
    else if (setting.treatment === 'ignored' && !isDefault(setting, value)) {
      notices.push(`${key} is ignored: ${setting.note}`)
    }
  }
  return { problems, notices }
}

// Users put keys of their own into the conf, also under `topology.`; so this is never an error.
function unknownNotice(key: string): string | undefined {
  if (!key.startsWith('topology.')) return undefined
  const near = nearestName(key, settingsTable.keys())
  const question = near === undefined ? '' : `; did you mean ${near}?`
  return `${key} is not a setting of Storm and only passed on to components${question}`
}

function isDefault(setting: Setting, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value) && value.length === 0) return true
  return value === setting.default
}

function problemOf(setting: Setting, value: unknown): Problem | undefined {
  const place = setting.key
  if (value === null || value === undefined) {
    if (!neverNull.has(place)) return undefined
    return {
      place,
      message: `${place} must not be null`,
      hint: `leave it out to get ${String(setting.default)}`,
    }
  }
  if (!hasType(value, setting.type)) {
    return { place, message: `${place} must be ${withArticle(setting.type)}, is ${shown(value)}` }
  }
  if (setting.treatment === 'refused' && !isEmpty(value)) {
    return { place, message: `${place} cannot be honoured`, hint: setting.note }
  }
  if (place === 'topology.multilang.serializer' && !knowsSerializer(value)) {
    return {
      place,
      message: `no such serializer here: ${shown(value)}`,
      hint: 'JSON and MessagePack are known; a class of your own cannot be loaded without a JVM',
    }
  }
  return undefined
}

// Users shipped MessagePack serializers under package names of their own; only the class name says what it is.
function knowsSerializer(value: unknown): boolean {
  return typeof value === 'string' && /(json|mess?age_?pack|msg_?pack)\w*$/i.test(value)
}

function isEmpty(value: unknown): boolean {
  if (value === '') return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** The largest integer that Storm takes for an integer setting: they are Java ints. */
const JAVA_INT_MAX = 2 ** 31 - 1

function hasType(value: unknown, type: SettingType): boolean {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string'
    case 'integer':
      return isInteger(value)
    case 'integer > 0':
      return isInteger(value) && value > 0
    case 'integer >= 0':
      return isInteger(value) && value >= 0
    case 'number':
      return isNumber(value)
    case 'number > 0':
      return isNumber(value) && value > 0
    case 'number >= 0':
      return isNumber(value) && value >= 0
    case 'list':
      return Array.isArray(value)
    case 'list of strings':
      return isListOfStrings(value)
    case 'string or list of strings':
      return typeof value === 'string' || isListOfStrings(value)
    case 'map':
      return isMap(value)
    case 'map of strings':
      return isMap(value) && Object.values(value).every(v => typeof v === 'string')
    case 'map of numbers':
      return isMap(value) && Object.values(value).every(isNumber)
    case 'list or map':
      return Array.isArray(value) || isMap(value)
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= JAVA_INT_MAX
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every(v => typeof v === 'string')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withArticle(type: SettingType): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

/** Longest piece of a user's value that an error message repeats. */
const SHOWN_MAX = 60

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
