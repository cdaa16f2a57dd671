// `gear gateway`: a process in front of a running cluster, where clients of other systems come in. It keeps nothing: what
// must not be lost is in the cluster, so that it may be killed, and several may run.
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { asError, EngineError } from '../base/errors.ts'
import type { DrpcPorts, ServeOptions, Service } from '../client/front-door.ts'
import type { ClusterGear } from '../client/gear.ts'
import { openDoors } from '../client/program-file.ts'
import { checkGatewayExposure, loadSettings } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { openGearOf, settingFlags } from './cluster-options.ts'
import { portNumber } from './file-command.ts'
import { type RoleFlags, roleCommand, runRole } from './role-process.ts'
import type { Voice } from './voice.ts'

/** Users of one gateway. */
const USERS_MAX = 10_000

export function gatewayCommand(setExit: (code: number) => void, doors: readonly string[]): Command {
  const command = roleCommand('gateway', 'takes topologies of Thrift clients for a cluster')
    .option('--master <host:port,…>', 'the masters; the same as --cluster.masters')
    .option('--thrift-port <port>', 'port to listen on; 0 = any', portNumber, 6627)
    .option('--ui-port <port>', 'answer dashboards over HTTP, on loopback; 0 = any', portNumber)
  type Flags = RoleFlags & { master?: string; thriftPort: number; uiPort?: number }
  return command.action(async (tokens: string[], flags: Flags) => {
    setExit(
      await runRole(flags, async voice => {
        const { values } = await loadSettings({ path: flags.config, flags: settingFlags(tokens) })
        checkGatewayExposure(values)
        const gear = await openGearOf(values, flags.master, voice)
        const { thriftPort: port, uiPort } = flags
        const { close } = await openGateway(gear, values, { doors, port, uiPort, voice })
        return { failure: new Promise<never>(() => undefined), close }
      }),
    )
  })
}

export interface GatewayOptions {
  readonly doors: readonly string[]
  readonly port: number | undefined
  readonly uiPort: number | undefined
  readonly drpc?: DrpcPorts | undefined
  readonly voice: Voice
}

/** Each front door that can listen does. `gear` is closed with it, also when this fails. */
export async function openGateway(
  gear: ClusterGear,
  settings: Settings,
  options: GatewayOptions,
): Promise<{ close(): Promise<void> }> {
  const { doors, voice } = options
  const services: Service[] = []
  const close = async () => {
    for (const service of services.splice(0)) await service.close()
    await gear.close()
  }
  try {
    const serving = await serveOptions(settings, options)
    for (const door of await openDoors(doors)) {
      const service = await door.serve?.(gear, serving)
      if (service === undefined) continue
      services.push(service)
      voice.say(service.name)
    }
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

async function serveOptions(
  settings: Settings,
  { port, uiPort, drpc, voice }: GatewayOptions,
): Promise<ServeOptions> {
  const { 'gateway.tls.cert': cert, 'gateway.tls.key': key, 'gateway.tls.ca': ca } = settings
  const usersFile = settings['gateway.usersFile']
  return {
    port,
    uiPort,
    drpc,
    address: settings['gateway.bind'],
    tls:
      cert === undefined || key === undefined
        ? undefined
        : {
            cert: await read(cert, 'gateway.tls.cert'),
            key: await read(key, 'gateway.tls.key'),
            ...(ca === undefined ? {} : { ca: await read(ca, 'gateway.tls.ca') }),
          },
    users:
      usersFile === undefined ? undefined : usersOf(await read(usersFile, 'gateway.usersFile')),
    advertise: settings['gateway.advertise'],
    log: voice.log,
  }
}

async function read(file: string, setting: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(asError)
  if (!(text instanceof Error)) return text
  throw new EngineError('FILE_NOT_FOUND', `${setting} cannot be read: ${text.message}`)
}

/** `user:password` a line; empty lines and those that begin with # are left out. */
function usersOf(text: string): ReadonlyMap<string, string> {
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
  const users = new Map<string, string>()
  for (const [i, line] of lines.entries()) {
    const colon = line.indexOf(':')
    // The line itself may hold a password.
    if (colon < 1 || colon === line.length - 1 || i >= USERS_MAX) {
      throw new EngineError(
        'SETTINGS_INVALID',
        `gateway.usersFile: entry ${i + 1} cannot be used`,
        {
          hint: `write user:password, one a line, at most ${USERS_MAX}`,
        },
      )
    }
    users.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return users
}
