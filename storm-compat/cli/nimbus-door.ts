// From a command line to the leading Nimbus: each seed of `nimbus.seeds` is asked who leads, as Storm's clients do. A
// Nimbus of Storm 1.0 knows no getLeader and is asked for its whole cluster. Storm's clients wait 10 minutes for each answer and
// then try again; who types a command at night is told after a few seconds what is waited for, and has an end of it.
import { asError, EngineError } from 'gearpump/spi'
import { clientSecurity, NIMBUS_PORT_SETTINGS } from '../thrift/transport-conf.ts'
import type { CommandLine } from './command-line.ts'
import { ownConf, type StormConf, withDefaults } from './storm-conf.ts'
import type { Door, NimbusClient, Surroundings } from './verb.ts'

/** Where Storm's Nimbus speaks TLS. */
const TLS_PORT = 'nimbus.thrift.tls.port'
const TIMEOUT = 'storm.thrift.socket.timeout.ms'
const TLS_TIMEOUT = 'storm.thrift.tls.socket.timeout.ms'
/** Who leads is known at once, and there may be more seeds to ask. */
const LEADER_MS = 10_000
/** Nothing that is asked or told takes long, */
const ANSWER_MS = 30_000
/** but for a submission, which is answered when the components have started, and what copies a large file. */
const LONG_MS = 120_000
const LONG = /^(?:submitTopology|finish|beginBlobDownload)/
/** The longest that a timer takes: what Java does with 0. */
const FOREVER_MS = 2 ** 31 - 1

export interface Leader {
  readonly client: NimbusClient
  readonly host: string
  readonly port: number
  readonly conf: StormConf
}

/** Runs `body` with the leader, and closes the connection whatever happens. */
export async function withNimbus<T>(
  line: CommandLine,
  around: Surroundings,
  body: (leader: Leader) => Promise<T>,
): Promise<T> {
  const own = await ownConf(line, around)
  const conf = withDefaults(own)
  const leader = await findLeader(conf, own, around)
  try {
    return await body({ ...leader, conf })
  } finally {
    leader.client.close()
  }
}

type Found = Omit<Leader, 'conf'>

/** How long to wait for answers. Storm's setting counts if somebody has set it: its default is no choice of the user's. */
export function patience(
  own: StormConf,
  tls: boolean,
): Pick<Door, 'timeoutMs' | 'connectTimeoutMs'> {
  const key = tls ? TLS_TIMEOUT : TIMEOUT
  if (own[key] === undefined || own[key] === null) {
    return { timeoutMs: answerMs, connectTimeoutMs: LEADER_MS }
  }
  const ms = Number(own[key])
  if (!Number.isInteger(ms) || ms < 0 || ms > FOREVER_MS) {
    throw new EngineError('BAD_INPUT', `${key} is ${JSON.stringify(own[key])}`, {
      hint: `it must be milliseconds, as in ${key}: 60000; 0 = no bound`,
    })
  }
  const timeoutMs = ms === 0 ? FOREVER_MS : ms
  return { timeoutMs, connectTimeoutMs: timeoutMs }
}

function answerMs(method: string): number {
  if (method === 'getLeader') return LEADER_MS
  return LONG.test(method) ? LONG_MS : ANSWER_MS
}

async function findLeader(conf: StormConf, own: StormConf, around: Surroundings): Promise<Found> {
  const security = await clientSecurity(conf, NIMBUS_PORT_SETTINGS)
  const tls = security.tls !== undefined
  const port = portOf(conf, tls ? TLS_PORT : 'nimbus.thrift.port')
  const common = {
    ...patience(own, tls),
    security,
    onSlow: (text: string) =>
      around.note(`storm: ${text} (${tls ? TLS_TIMEOUT : TIMEOUT} sets another time)`),
  }
  const connect = (host: string, at: number) => around.connect({ ...common, host, port: at })
  const seeds = seedsOf(conf)
  const reasons: string[] = []
  let hint =
    'set nimbus.seeds and nimbus.thrift.port in ~/.storm/storm.yaml, or by -c \'nimbus.seeds=["host"]\''
  for (const seed of seeds) {
    try {
      const leader = await leaderFrom(seed, port, connect)
      if (leader !== undefined) return leader
      reasons.push(`${seed}:${port} names no leader`)
    } catch (error) {
      reasons.push(asError(error).message)
      // What is wrong with the only one is the best advice.
      const known = error instanceof EngineError ? error.hint : undefined
      if (seeds.length === 1 && known !== undefined) hint = `${known}\n  ${hint}`
    }
  }
  throw new EngineError(
    'NIMBUS_UNREACHABLE',
    `no leading Nimbus found from the seeds ${seeds.join(', ')}: ${reasons.join('; ')}`,
    { hint, details: { seeds, port } },
  )
}

async function leaderFrom(
  host: string,
  port: number,
  connect: (host: string, port: number) => Promise<NimbusClient>,
): Promise<Found | undefined> {
  const client = await connect(host, port)
  try {
    const leader = await askLeader(client)
    if (leader === undefined) {
      client.close()
      return undefined
    }
    if (leader.host === host && leader.port === port) return { client, host, port }
    client.close()
    const { host: leaderHost, port: leaderPort } = leader
    const other = await connect(leaderHost, leaderPort)
    return { client: other, host: leaderHost, port: leaderPort }
  } catch (error) {
    client.close()
    throw error
  }
}

async function askLeader(
  client: NimbusClient,
): Promise<{ readonly host: string; readonly port: number } | undefined> {
  try {
    return await client.call('getLeader', {})
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'THRIFT_CALL_FAILED') throw error
    const { nimbuses } = await client.call('getClusterInfo', {})
    return nimbuses.find(nimbus => nimbus.isLeader)
  }
}

function seedsOf(conf: StormConf): readonly string[] {
  // Until Storm 0.10 there was one Nimbus.
  const old = conf['nimbus.host']
  if (typeof old === 'string' && old !== '') return [old]
  const seeds = conf['nimbus.seeds']
  if (Array.isArray(seeds) && seeds.length > 0) return seeds.map(String)
  if (typeof seeds === 'string' && seeds !== '') return seeds.split(',').map(seed => seed.trim())
  throw new EngineError('BAD_INPUT', 'nimbus.seeds names no host', {
    hint: 'set it in storm.yaml, as in nimbus.seeds: ["localhost"]',
  })
}

function portOf(conf: StormConf, key: string): number {
  const port = Number(conf[key])
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new EngineError('BAD_INPUT', `${key} is ${conf[key]}`, {
    hint: `it must be a port, as in ${key}: 6627`,
  })
}
