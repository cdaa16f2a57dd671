// `gear master`, `gear worker`, `gear local`: processes that run until they are told to end.
import { Command, Option } from 'commander'
import { LEVELS, type Level } from '../base/log.ts'
import { connect } from '../client/connect.ts'
import type { DrpcPorts, Service } from '../client/front-door.ts'
import { openDoors } from '../client/program-file.ts'
import { masterAddress, masterText } from '../cluster/master-address.ts'
import { loadSettings } from '../cluster/settings.ts'
import { type LocalCluster, runLocalCluster } from '../deploy/local-cluster.ts'
import { runMaster } from '../deploy/run-master.ts'
import { runWorker } from '../deploy/run-worker.ts'
import { settingFlags } from './cluster-options.ts'
import { EXIT_OK, errorExitCode } from './ending.ts'
import { portNumber } from './file-command.ts'
import { Interrupts } from './interrupts.ts'
import { Voice } from './voice.ts'

interface RoleFlags {
  readonly config?: string
  readonly json?: boolean
  readonly logLevel: Level
}

/** Ends by itself only when it cannot go on. */
interface Role {
  readonly failure: Promise<unknown>
  close(): Promise<void>
}

/** Longer than closing executors may take. */
const CLOSE_MAX_MS = 15_000

function roleCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'gear.yaml')
    .option('--json', 'log lines as JSON objects')
    .addOption(
      new Option('--log-level <level>', 'least level of log lines')
        .choices(LEVELS)
        .default('info' satisfies Level),
    )
    .argument('[settings...]', 'settings by their full names: --worker.slots 4')
    .allowUnknownOption()
    .addHelpText(
      'after',
      '\nEvery setting of gear.yaml may be given as a flag under its full name.',
    )
}

export function masterCommand(setExit: (code: number) => void): Command {
  const command = roleCommand('master', 'runs a master of a cluster')
    .option('--ip <address>', 'address to listen on, by which others reach it')
    .option(
      '--port <port>',
      'port to listen on; default: that of the first of cluster.masters',
      portNumber,
    )
  return command.action(
    async (tokens: string[], flags: RoleFlags & { ip?: string; port?: number }) => {
      setExit(
        await runRole(flags, async voice => {
          const own: Record<string, string | true> = settingFlags(tokens)
          if (flags.ip !== undefined) own['host.bind'] ??= flags.ip
          const { values } = await loadSettings({ path: flags.config, flags: own })
          const first = masterAddress(values['cluster.masters'][0]!)
          const host = flags.ip ?? first.host
          const port = flags.port ?? first.port
          const known = values['cluster.masters'].includes(masterText({ host, port }))
          const settings = known
            ? values
            : { ...values, 'cluster.masters': [masterText({ host, port })] }
          const running = await runMaster({ settings, log: voice.log, host, port })
          voice.say(`master ${running.name} is up; its store: ${running.store.kind}`)
          return { failure: running.master.failure, close: running.close }
        }),
      )
    },
  )
}

export function workerCommand(setExit: (code: number) => void): Command {
  const command = roleCommand('worker', 'runs a worker of a cluster')
    .option('--name <name>', 'unique in the cluster; default: host.name')
    .option('--master <host:port,…>', 'the masters; the same as --cluster.masters')
    .option('--slots <n>', 'executors that fit here; the same as --worker.slots')
  type Flags = RoleFlags & { name?: string; master?: string; slots?: string }
  return command.action(async (tokens: string[], flags: Flags) => {
    setExit(
      await runRole(flags, async voice => {
        const own: Record<string, string | true> = settingFlags(tokens)
        if (flags.master !== undefined) own['cluster.masters'] ??= flags.master
        if (flags.slots !== undefined) own['worker.slots'] ??= flags.slots
        const { values } = await loadSettings({ path: flags.config, flags: own })
        const name = flags.name ?? values['host.name']
        const running = await runWorker({ settings: values, log: voice.log, name })
        voice.say(`worker ${name} is up, ${values['worker.slots']} slots`)
        return running
      }),
    )
  })
}

export function localCommand(setExit: (code: number) => void, doors: readonly string[]): Command {
  const command = roleCommand('local', 'runs a whole cluster on this machine')
    .option('--port <port>', "the master's port; 0 = any", portNumber, 3000)
    .option('--workers <n>', 'workers, each a process', '4')
    .option('--same-process', 'masters, workers and executors all in this process')
    .option('--thrift-port <port>', 'listen for Thrift clients too; 0 = any', portNumber)
    .option('--drpc', 'a DRPC server too, on the ports 3772, 3773 and, for HTTP, 3774')
    .option('--drpc-port <port>', 'its port for callers; 0 = any', portNumber)
    .option('--drpc-invocations-port <port>', 'its port for topologies; 0 = any', portNumber)
    .option('--drpc-http-port <port>', 'its port for HTTP; 0 = any', portNumber)
  type Flags = RoleFlags & {
    port: number
    workers: string
    sameProcess?: boolean
    thriftPort?: number
    drpc?: true
    drpcPort?: number
    drpcInvocationsPort?: number
    drpcHttpPort?: number
  }
  return command.action(async (tokens: string[], flags: Flags) => {
    setExit(
      await runRole(flags, async voice => {
        const cluster = await runLocalCluster({
          flags: settingFlags(tokens),
          config: flags.config,
          log: voice.log,
          port: flags.port,
          workers: Number(flags.workers),
          sameProcess: flags.sameProcess === true,
        })
        voice.say(`a cluster runs at ${cluster.address} with ${flags.workers} workers`)
        voice.say(`try: gear app run FILE --master ${cluster.address}`)
        const drpc = drpcPorts(flags)
        if (flags.thriftPort === undefined && drpc === undefined) return cluster
        try {
          return await withServices(cluster, { doors, port: flags.thriftPort, drpc, voice })
        } catch (error) {
          await cluster.close()
          throw error
        }
      }),
    )
  })
}

interface DrpcFlags {
  readonly drpc?: true
  readonly drpcPort?: number
  readonly drpcInvocationsPort?: number
  readonly drpcHttpPort?: number
}

// Any of the four asks for a server; HTTP is on for all of them, as it is on loopback only.
function drpcPorts(flags: DrpcFlags): DrpcPorts | undefined {
  const { drpcPort: callers, drpcInvocationsPort: invocations, drpcHttpPort: http } = flags
  const wanted = [flags.drpc, callers, invocations, http].some(flag => flag !== undefined)
  return wanted ? { callers, invocations, http } : undefined
}

interface Services {
  readonly doors: readonly string[]
  readonly port: number | undefined
  readonly drpc: DrpcPorts | undefined
  readonly voice: Voice
}

// What other systems' clients talk to: each front door that can listen does.
async function withServices(
  cluster: LocalCluster,
  { doors, port, drpc, voice }: Services,
): Promise<Role> {
  const gear = await connect({ masters: [cluster.address], log: voice.log })
  const services: Service[] = []
  for (const door of await openDoors(doors)) {
    const service = await door.serve?.(gear, { port, drpc, log: voice.log })
    if (service === undefined) continue
    services.push(service)
    voice.say(service.name)
  }
  return {
    failure: cluster.failure,
    close: async () => {
      for (const service of services) await service.close()
      await gear.close()
      await cluster.close()
    },
  }
}

async function runRole(flags: RoleFlags, open: (voice: Voice) => Promise<Role>): Promise<number> {
  const { logLevel, json } = flags
  const voice = new Voice({
    command: 'gear',
    stderr: process.stderr,
    level: logLevel,
    json: json === true,
  })
  const interrupts = new Interrupts()
  let role: Role | undefined
  let exit = EXIT_OK
  try {
    role = await open(voice)
    // One that came while it was opened is not told again.
    if (interrupts.count === 0)
      await Promise.race([interrupts.next(), interrupts.crashed, role.failure])
  } catch (error) {
    voice.error(error)
    exit = errorExitCode(error)
  }
  const late = new Promise<void>(resolve => void setTimeout(resolve, CLOSE_MAX_MS).unref())
  await Promise.race([role?.close(), late, ...(exit === EXIT_OK ? [interrupts.next()] : [])])
  interrupts.close()
  return exit
}
