// One submitted topology: what it was made of, its status, and the checks of what clients ask for it.
import { type Problem, UserError } from 'gearpump'
import type { Conf } from '../component/api.ts'
import { ThriftException } from '../thrift/codec.ts'
import { InvalidTopologyException, NotAliveException } from '../thrift/storm-exceptions.ts'
import type { LogConfig, RebalanceOptions } from '../thrift/storm-requests.ts'
import type { StormTopology as TopologyMessage } from '../thrift/storm-topology.ts'
import { topologyConf } from '../topology/settings.ts'
import { numberTasks } from '../topology/task-ids.ts'
import type { StormTopology } from '../topology/topology.ts'
import { validateTopology } from '../topology/validate.ts'
import type { JarClasses } from './jar-classes.ts'
import {
  type FindJava,
  type ReadJavaComponent,
  type ReadTopology,
  readTopology,
} from './topology-reader.ts'
import { sizeProblem } from './topology-size.ts'
import { WindowedRows } from './windows.ts'

export type Status = 'ACTIVE' | 'INACTIVE' | 'KILLED' | 'REBALANCING'

export interface Topology {
  readonly id: string
  readonly name: string
  /** Who submitted it. */
  readonly owner: string
  readonly message: TopologyMessage
  readonly topology: StormTopology
  readonly conf: Readonly<Record<string, unknown>>
  readonly startedMs: number
  /** Task ids by component. */
  readonly tasks: ReadonlyMap<string, readonly number[]>
  readonly jar: string | undefined
  readonly windows: WindowedRows
  status: Status
  /** What it was, or shall be, when it is not being rebalanced. */
  active: boolean
  workers: number
  /** Wishes for executors by component; figures only. */
  readonly executors: Map<string, number>
  logConfig: LogConfig
  /** Why it does not run, if it could not be started or ended by itself. */
  failure: string | undefined
}

export interface Submission {
  readonly name: string
  readonly jsonConf: string
  readonly message: TopologyMessage
  /** An uploaded jar, if there is one. */
  readonly jar: string | undefined
  readonly active: boolean
  /** Secrets; they go to the host, and are kept nowhere else. */
  readonly credentials?: Readonly<Record<string, string>>
  /** Who submits, as components see it. */
  readonly user: string
}

export interface MakeOptions {
  /** When it is submitted, whole seconds in ms: part of its id. */
  readonly startedMs: number
  readonly readJava?: ReadJavaComponent
  readonly jarClasses?: JarClasses
  /** Settings under the topology's own. */
  readonly conf?: Conf
  readonly findJava?: FindJava
}

/** A topology of what was submitted. Throws InvalidTopologyException with all that is wrong with it. */
export function makeTopology(
  submission: Submission,
  options: MakeOptions,
): { topology: Topology; notices: readonly string[] } {
  const { name, active, user } = submission
  const { startedMs } = options
  const read = withConf(readTopology({ ...submission, ...options }), options.conf)
  const problems = problemsOf(read)
  if (problems.length > 0) {
    throw invalid(new UserError('TOPOLOGY_INVALID', `topology "${name}"`, problems).message)
  }
  const id = `${name}-1-${startedMs / 1000}`
  const workers = read.topology.config['topology.workers']
  const numbers = numberTasks(read.topology).tasks
  const topology: Topology = {
    id,
    name,
    owner: user,
    message: submission.message,
    topology: read.topology,
    conf: topologyConf(read.topology, { stormId: id, name, user }),
    startedMs,
    tasks: new Map(numbers.map(({ component, ids }) => [component, ids])),
    jar: submission.jar,
    windows: new WindowedRows(),
    status: active ? 'ACTIVE' : 'INACTIVE',
    active,
    workers: typeof workers === 'number' && workers > 0 ? workers : 1,
    executors: new Map(),
    logConfig: {},
    failure: undefined,
  }
  return { topology, notices: read.notices }
}

function withConf(read: ReadTopology, conf: Conf | undefined): ReadTopology {
  if (conf === undefined) return read
  const { topology } = read
  return { ...read, topology: { ...topology, config: { ...conf, ...topology.config } } }
}

/** Problems that one answer lists. */
const PROBLEMS_MAX = 200

function problemsOf({ topology, problems }: ReadTopology): readonly Problem[] {
  const size = sizeProblem(topology)
  const all = [...problems, ...(size === undefined ? validateTopology(topology) : [size])]
  if (all.length <= PROBLEMS_MAX) return all
  const rest = `and ${all.length - PROBLEMS_MAX} more`
  return [...all.slice(0, PROBLEMS_MAX), { place: 'topology', message: rest }]
}

/** Storm's own rule: names appear in file names and URLs. */
const NAME = /^[^/.:\\]+$/

export function isNameValid(name: string): boolean {
  return NAME.test(name)
}

/** The executors that a rebalance asks for. Throws InvalidTopologyException for what cannot be. */
export function checkRebalance(
  of: Topology,
  options: RebalanceOptions,
): ReadonlyMap<string, number> {
  const { num_workers, num_executors = new Map(), topology_conf_overrides = '' } = options
  if (num_workers !== undefined && num_workers < 1) {
    throw invalid(`${num_workers} workers: at least one is needed`)
  }
  if (!['', '{}'].includes(topology_conf_overrides.trim())) {
    throw invalid('settings do not change while a topology runs: kill it and submit it again')
  }
  for (const [id, count] of num_executors) {
    if (!of.topology.components.some(component => component.id === id)) {
      throw invalid(`"${of.name}" has no component "${id}"`)
    }
    if (count < 1) throw invalid(`${count} executors for "${id}": at least one is needed`)
  }
  return num_executors
}

export function invalid(msg: string): ThriftException<typeof InvalidTopologyException.fields> {
  return new ThriftException(InvalidTopologyException, { msg })
}

export function notAlive(name: string): ThriftException<typeof NotAliveException.fields> {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name
  return new ThriftException(NotAliveException, { msg: `${shown} is not alive` })
}
