// From a command line to the leading Nimbus: each seed of `nimbus.seeds` is asked who leads, as Storm's clients do. A
// Nimbus of Storm 1.0 knows no getLeader and is asked for its whole cluster.
import { asError, EngineError } from 'gearpump/spi'
import type { CommandLine } from './command-line.ts'
import { type StormConf, stormConf } from './storm-conf.ts'
import type { NimbusClient, Surroundings } from './verb.ts'

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
  refuseSecurity(conf)
  const port = portOf(conf)
  const seeds = seedsOf(conf)
  const reasons: string[] = []
  for (const seed of seeds) {
    try {
      const leader = await leaderFrom(seed, port, around)
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
  around: Surroundings,
): Promise<Found | undefined> {
  const client = await around.connect(host, port)
  try {
    const leader = await askLeader(client)
    if (leader === undefined) {
      client.close()
      return undefined
    }
    if (leader.host === host && leader.port === port) return { client, host, port }
    client.close()
    const { host: leaderHost, port: leaderPort } = leader
    const other = await around.connect(leaderHost, leaderPort)
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

function portOf(conf: StormConf): number {
  const port = Number(conf['nimbus.thrift.port'])
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new EngineError('BAD_INPUT', `nimbus.thrift.port is ${conf['nimbus.thrift.port']}`, {
    hint: 'it must be a port, as in nimbus.thrift.port: 6627',
  })
}

// Told before a connection that would fail without a reason.
function refuseSecurity(conf: StormConf): void {
  const plugin = conf['storm.thrift.transport']
  const simple = /(?:^|\.)SimpleTransportPlugin$/
  const secured = typeof plugin === 'string' && plugin !== '' && !simple.test(plugin)
  if (!secured && conf['nimbus.thrift.client.use.tls'] !== true) return
  throw new EngineError('BAD_INPUT', 'this command speaks to a Nimbus without SASL and TLS only', {
    hint: 'leave out storm.thrift.transport and nimbus.thrift.client.use.tls, or use Storm’s own command',
    details: { transport: plugin },
  })
}
