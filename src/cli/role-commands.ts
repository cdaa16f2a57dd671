// `gear master`, `gear worker`, `gear local`: processes that run until they are told to end.
import type { Command } from 'commander'
import { EngineError } from '../base/errors.ts'
import { connect } from '../client/connect.ts'
import type { DrpcPorts } from '../client/front-door.ts'
import { masterAddress, masterText } from '../cluster/master-address.ts'
import { checkGatewayExposure, loadSettings } from '../cluster/settings.ts'
import { runLocalCluster } from '../deploy/local-cluster.ts'
import { runMaster } from '../deploy/run-master.ts'
import { runWorker } from '../deploy/run-worker.ts'
import { settingFlags } from './cluster-options.ts'
import { portNumber } from './file-command.ts'
import { openGateway } from './gateway-command.ts'
import { type RoleFlags, roleCommand, runRole } from './role-process.ts'

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
    .option('--thrift-port <port>', 'be a gateway for Thrift clients too; 0 = any', portNumber)
    .option(
      '--ui-port <port>',
      'with --thrift-port: answer dashboards over HTTP; 0 = any',
      portNumber,
    )
    .option('--drpc', 'a DRPC server too, on the ports 3772, 3773 and, for HTTP, 3774')
    .option('--drpc-port <port>', 'its port for callers; 0 = any', portNumber)
    .option('--drpc-invocations-port <port>', 'its port for topologies; 0 = any', portNumber)
    .option('--drpc-http-port <port>', 'its port for HTTP; 0 = any', portNumber)
  type Flags = RoleFlags & {
    port: number
    workers: string
    sameProcess?: boolean
    thriftPort?: number
    uiPort?: number
    drpc?: true
    drpcPort?: number
    drpcInvocationsPort?: number
    drpcHttpPort?: number
  }
  return command.action(async (tokens: string[], flags: Flags) => {
    setExit(
      await runRole(flags, async voice => {
        const { thriftPort: port, uiPort } = flags
        if (uiPort !== undefined && port === undefined) throw uiAlone()
        const named = settingFlags(tokens)
        const { values } = await loadSettings({ path: flags.config, flags: named })
        if (port !== undefined) checkGatewayExposure(values)
        const cluster = await runLocalCluster({
          flags: named,
          config: flags.config,
          log: voice.log,
          port: flags.port,
          workers: Number(flags.workers),
          sameProcess: flags.sameProcess === true,
        })
        voice.say(`a cluster runs at ${cluster.address} with ${flags.workers} workers`)
        voice.say(`try: gear app run FILE --master ${cluster.address}`)
        const drpc = drpcPorts(flags)
        if (port === undefined && drpc === undefined) return cluster
        try {
          const gear = await connect({ masters: [cluster.address], log: voice.log })
          const gateway = await openGateway(gear, values, { doors, port, uiPort, drpc, voice })
          return {
            failure: cluster.failure,
            close: async () => {
              await gateway.close()
              await cluster.close()
            },
          }
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

function uiAlone(): EngineError {
  return new EngineError('BAD_INPUT', '--ui-port shows what comes in by --thrift-port', {
    hint: 'give both, as in: gear local --thrift-port 6627 --ui-port 8080',
  })
}
