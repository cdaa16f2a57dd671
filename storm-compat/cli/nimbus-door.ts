// From a command line to the leading Nimbus: each seed of `nimbus.seeds` is asked who leads, as Storm's clients do. A
// Nimbus of Storm 1.0 knows no getLeader and is asked for its whole cluster.
import { asError, EngineError } from 'gearpump/spi'
import { clientSecurity, NIMBUS_PORT_SETTINGS } from '../thrift/transport-conf.ts'
import type { CommandLine } from './command-line.ts'
import { type StormConf, stormConf } from './storm-conf.ts'
import type { NimbusClient, Surroundings } from './verb.ts'

/** Where Storm's Nimbus speaks TLS. */
const TLS_PORT = 'nimbus.thrift.tls.port'

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
  const conf = await stormConf(line, around)
  const leader = await findLeader(conf, around)
  try {
    return await body({ ...leader, conf })
  } finally {
    leader.client.close()
  }
}

type Found = Omit<Leader, 'conf'>

async function findLeader(conf: StormConf, around: Surroundings): Promise<Found> {
  const security = await clientSecurity(conf, NIMBUS_PORT_SETTINGS)
  const port = portOf(conf, security.tls === undefined ? 'nimbus.thrift.port' : TLS_PORT)
  const connect = (host: string, at: number) => around.connect(host, at, security)
  const seeds = seedsOf(conf)
  const reasons: string[] = []
  for (const seed of seeds) {
    try {
      const leader = await leaderFrom(seed, port, connect)
      if (leader !== undefined) return leader
      reasons.push(`${seed}:${port} names no leader`)
    } catch (error) {
      reasons.push(asError(error).message)
    }
  }
  throw new EngineError(
    'NIMBUS_UNREACHABLE',
    `no leading Nimbus found from the seeds ${seeds.join(', ')}: ${reasons.join('; ')}`,
    {
      hint: 'set nimbus.seeds and nimbus.thrift.port in ~/.storm/storm.yaml, or by -c \'nimbus.seeds=["host"]\'',
      details: { seeds, port },
    },
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
