// `gear master`, `gear worker`, `gear local`: processes that run until they are told to end.
import { Command, Option } from 'commander'
import { LEVELS, type Level } from '../base/log.ts'
import { masterAddress, masterText } from '../cluster/master-address.ts'
import { loadSettings } from '../cluster/settings.ts'
import { runLocalCluster } from '../deploy/local-cluster.ts'
import { runMaster } from '../deploy/run-master.ts'
import { runWorker } from '../deploy/run-worker.ts'
import { settingFlags } from './cluster-options.ts'
import { EXIT_OK, errorExitCode } from './ending.ts'
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
    .option('--port <port>', 'port to listen on')
  return command.action(
    async (tokens: string[], flags: RoleFlags & { ip?: string; port?: string }) => {
      setExit(
        await runRole(flags, async voice => {
          const own: Record<string, string | true> = settingFlags(tokens)
          if (flags.ip !== undefined) own['host.bind'] ??= flags.ip
          const { values } = await loadSettings({ path: flags.config, flags: own })
          const first = masterAddress(values['cluster.masters'][0]!)
          const host = flags.ip ?? first.host
          const port = flags.port === undefined ? first.port : Number(flags.port)
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
    .option('--name <name>', 'unique in the cluster; default: the host and data directory decide')
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

export function localCommand(setExit: (code: number) => void): Command {
  const command = roleCommand('local', 'runs a whole cluster on this machine')
    .option('--port <port>', "the master's port; 0 = any", '3000')
    .option('--workers <n>', 'workers, each a process', '4')
    .option('--same-process', 'masters, workers and executors all in this process')
  type Flags = RoleFlags & { port: string; workers: string; sameProcess?: boolean }
  return command.action(async (tokens: string[], flags: Flags) => {
    setExit(
      await runRole(flags, async voice => {
        const cluster = await runLocalCluster({
          flags: settingFlags(tokens),
          config: flags.config,
          log: voice.log,
          port: Number(flags.port),
          workers: Number(flags.workers),
          sameProcess: flags.sameProcess === true,
        })
        voice.say(`a cluster runs at ${cluster.address} with ${flags.workers} workers`)
        voice.say(`try: gear app run FILE --master ${cluster.address}`)
        return cluster
      }),
    )
  })
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
