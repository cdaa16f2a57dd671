// The methods of Nimbus that begin, change and end topologies, and those by which jars come and go.
import { ThriftException } from '../thrift/codec.ts'
import type { Caller } from '../thrift/server.ts'
import { type Handlers, Refusal } from '../thrift/service.ts'
import { InvalidTopologyException } from '../thrift/storm-exceptions.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'
import type { LogConfig, SubmitOptions } from '../thrift/storm-requests.ts'
import type { StormTopology } from '../thrift/storm-topology.ts'
import type { Clock } from './clock.ts'
import type { Inbox } from './inbox.ts'
import type { Topologies } from './topologies.ts'

type All = Handlers<typeof nimbusMethods, Caller>
export type LifeMethods = Pick<
  All,
  | 'submitTopology'
  | 'submitTopologyWithOpts'
  | 'killTopology'
  | 'killTopologyWithOpts'
  | 'activate'
  | 'deactivate'
  | 'rebalance'
  | 'uploadNewCredentials'
  | 'setLogConfig'
  | 'getLogConfig'
  | 'beginFileUpload'
  | 'uploadChunk'
  | 'finishFileUpload'
  | 'beginFileDownload'
  | 'downloadChunk'
>

export interface LifeOptions {
  readonly topologies: Topologies
  readonly inbox: Inbox
  readonly clock: Clock
  /** Who a caller is that did not have to say so. */
  readonly user: string
}

export function lifeMethods({ topologies, inbox, clock, user }: LifeOptions): LifeMethods {
  const submit = async (
    args: {
      readonly name: string
      readonly uploadedJarLocation?: string | undefined
      readonly jsonConf?: string | undefined
      readonly topology: StormTopology
    },
    options: SubmitOptions | undefined,
    caller: Caller,
  ) => {
    const { name, uploadedJarLocation: jar = '', jsonConf = '', topology } = args
    if (jar !== '' && !inbox.has(jar)) {
      throw new ThriftException(InvalidTopologyException, {
        msg: `the jar of ${name} is not here: it was not uploaded to its end, or over an hour ago`,
      })
    }
    await topologies.submit({
      name,
      jsonConf,
      message: topology,
      jar: jar === '' ? undefined : jar,
      active: options?.initial_status !== 'INACTIVE',
      credentials: Object.fromEntries(options?.creds?.creds ?? []),
      user: caller.user ?? user,
    })
  }
  return {
    submitTopology: (args, caller) => submit(args, undefined, caller),
    submitTopologyWithOpts: (args, caller) => submit(args, args.options, caller),
    killTopology: ({ name }) => topologies.kill(name, undefined),
    killTopologyWithOpts: ({ name, options }) => topologies.kill(name, options?.wait_secs),
    activate: ({ name }) => topologies.setActive(name, true),
    deactivate: ({ name }) => topologies.setActive(name, false),
    rebalance: ({ name, options }) => topologies.rebalance(name, options ?? {}),
    uploadNewCredentials: ({ name, creds: { creds, topoOwner } }) =>
      topologies.setCredentials(name, Object.fromEntries(creds), topoOwner),
    setLogConfig: ({ name, config }) => {
      const { logConfig } = topologies.byId(name)
      return topologies.setLogConfig(name, mergeLogConfig(logConfig, config, clock.nowMs()))
    },
    getLogConfig: ({ name }) => livingLogConfig(topologies.byId(name).logConfig, clock.nowMs()),
    beginFileUpload: () => inbox.begin(),
    uploadChunk: ({ location, chunk }) => inbox.append(location, chunk),
    finishFileUpload: ({ location }) => inbox.finish(location),
    beginFileDownload: ({ file }) => inbox.beginDownload(file),
    downloadChunk: ({ id }) => inbox.read(id),
  }
}

/** Loggers whose level may be set for one topology. */
const LOGGERS_MAX = 1000

/**
 * Levels are kept and shown, with the end of their time. Nothing more is to be done: a component's own log file has
 * every level anyway.
 */
function mergeLogConfig(old: LogConfig, change: LogConfig, nowMs: number): LogConfig {
  const levels = new Map(livingLogConfig(old, nowMs).named_logger_level)
  for (const [logger, level] of change.named_logger_level ?? []) {
    if (level.action === 'REMOVE') levels.delete(logger)
    if (level.action !== 'UPDATE') continue
    const secs = level.reset_log_level_timeout_secs ?? 0
    const until = BigInt(Math.floor(nowMs / 1000) + secs)
    levels.set(logger, {
      ...level,
      ...(secs > 0 ? { reset_log_level_timeout_epoch: until } : {}),
    })
  }
  if (levels.size > LOGGERS_MAX) throw new Refusal(`at most ${LOGGERS_MAX} loggers have levels`)
  return { named_logger_level: levels }
}

function livingLogConfig({ named_logger_level = new Map() }: LogConfig, nowMs: number): LogConfig {
  const nowSecs = BigInt(Math.floor(nowMs / 1000))
  const living = [...named_logger_level].filter(([, level]) => {
    const until = level.reset_log_level_timeout_epoch
    return until === undefined || until > nowSecs
  })
  return { named_logger_level: new Map(living) }
}
