// `storm drpc` runs a DRPC server until it is interrupted, set up by storm.yaml as Storm's own daemon is. `storm drpc-client` calls
// functions from a terminal.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, EngineError } from 'gearpump/spi'
import { accessOf } from '../drpc/access.ts'
import { type DrpcOptions, startDrpc } from '../drpc/server.ts'
import { describeDrpc } from '../drpc/service.ts'
import { type ClientSecurity, NO_DRPC } from '../thrift/client.ts'
import type { ServerTls } from '../thrift/server.ts'
import {
  clientSecurity,
  DRPC_PORT_SETTINGS,
  INVOCATIONS_PORT_SETTINGS,
  serverTls,
  serverUsers,
} from '../thrift/transport-conf.ts'
import { one, readCommandLine } from './command-line.ts'
import { clusterConfDir, readConf, type StormConf, stormConf } from './storm-conf.ts'
import { refuseUnkeptGuards } from './unkept-guards.ts'
import { StormUsageError } from './usage-error.ts'
import { type DrpcClient, EXIT_OK, type Surroundings, type Verb } from './verb.ts'

export const drpcVerb: Verb = {
  usage: 'storm drpc [--host ADDRESS]',
  summary: 'runs a DRPC server until Ctrl-C, on the ports of drpc.* in storm.yaml',
  help: `Usage: storm drpc [--host ADDRESS]

Runs a DRPC server until Ctrl-C: functions are called on drpc.port (3772), topologies answer them on
drpc.invocations.port (3773), and HTTP is on drpc.http.port (3774) if drpc.disable.http.binding is false.

  --host ADDRESS     address to listen on; 127.0.0.1 if not given, for whoever can connect may call
                     and answer every function that drpc.authorizer does not keep from him
                     (unless drpc.thrift.transport is DigestSaslTransportPlugin: docs/storm-drpc.md)
  -c KEY=VALUE       a setting, as in -c drpc.port=0; may be repeated
`,
  async run(argv, around) {
    const line = readCommandLine(argv, { host: { flags: ['--host'], takes: 'one' } })
    if (line.words.length > 0) throw new StormUsageError(`unexpected argument "${line.words[0]}"`)
    const conf = await stormConf(line, around, 'cluster')
    refuseUnkeptGuards('drpc', conf)
    const host = one(line, 'host')
    const drpc = await startDrpc({
      ...(await optionsOf(conf, around)),
      ...(host === undefined ? {} : { address: host }),
      log: { write: ({ level, text }) => around.note(`storm: ${level}: ${text}`) },
    })
    around.note(`storm: ${describeDrpc(drpc)}`)
    await around.interrupted()
    await drpc.close()
    return EXIT_OK
  },
}

async function optionsOf(conf: StormConf, around: Surroundings): Promise<DrpcOptions> {
  return {
    ...(await securityOf(conf)),
    ...(await httpOf(conf)),
    port: numberOf(conf, 'drpc.port', 0),
    invocationsPort: numberOf(conf, 'drpc.invocations.port', 0),
    requestTimeoutMs: 1000 * numberOf(conf, 'drpc.request.timeout.secs', 1),
    messageBytesMax: numberOf(conf, 'drpc.max_buffer_size', 1),
    access: accessOf({ ...(await accessFile(conf, around)), ...conf }),
  }
}

// The list of functions is in a file of its own beside storm.yaml.
async function accessFile(conf: StormConf, around: Surroundings): Promise<StormConf> {
  const file = conf['drpc.authorizer.acl.filename']
  const folder = clusterConfDir(around)
  if (typeof file !== 'string' || folder === undefined) return {}
  return (await readConf(join(folder, file))) ?? {}
}

function numberOf(conf: StormConf, key: string, min: number): number {
  const value = Number(conf[key])
  if (Number.isInteger(value) && value >= min && value < 2 ** 31) return value
  throw new EngineError('BAD_INPUT', `${key} is ${JSON.stringify(conf[key])}`, {
    hint: `it must be a whole number of at least ${min}`,
  })
}

// Each Thrift port has a plug-in of its own in Storm; HTTP is for callers.
async function securityOf(conf: StormConf): Promise<Partial<DrpcOptions>> {
  const callers = await serverUsers(conf, DRPC_PORT_SETTINGS)
  const topologies = await serverUsers(conf, INVOCATIONS_PORT_SETTINGS)
  const tls = await serverTls(conf, DRPC_PORT_SETTINGS)
  const passwordOf = callers ?? topologies
  const one = (callers === undefined) !== (topologies === undefined)
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(passwordOf === undefined ? {} : { passwordOf }),
    ...(one ? { openPort: callers === undefined ? 'callers' : 'topologies' } : {}),
  }
}

// Callers over HTTP have one port: plain, or HTTPS.
async function httpOf(conf: StormConf): Promise<Partial<DrpcOptions>> {
  const plain = conf['drpc.disable.http.binding'] === false
  if (Number(conf['drpc.https.port'] ?? -1) <= 0) {
    return plain ? { httpPort: numberOf(conf, 'drpc.http.port', 0) } : {}
  }
  if (plain) {
    throw new EngineError(
      'BAD_INPUT',
      'drpc.https.port and drpc.http.port: one of them is served',
      {
        hint: 'set drpc.disable.http.binding: true, or drpc.https.port: -1',
      },
    )
  }
  return { httpPort: numberOf(conf, 'drpc.https.port', 1), httpTls: await keyStoreOf(conf) }
}

async function keyStoreOf(conf: StormConf): Promise<ServerTls> {
  const path = conf['drpc.https.keystore.path']
  const type = String(conf['drpc.https.keystore.type'])
  if (typeof path !== 'string' || path === '' || type.toUpperCase() !== 'PKCS12') {
    throw new EngineError('BAD_INPUT', 'drpc.https.port: a key store of type PKCS12 is needed', {
      hint: 'set drpc.https.keystore.path and drpc.https.keystore.type: PKCS12 (keytool -importkeystore makes one of a JKS)',
    })
  }
  if (
    conf['drpc.https.need.client.auth'] === true ||
    conf['drpc.https.want.client.auth'] === true
  ) {
    throw new EngineError('BAD_INPUT', 'drpc.https.*: certificates of clients are asked for', {
      hint: 'that is served by gearpump.drpc.use.tls with gearpump.tls.ca, on all three ports',
    })
  }
  const pfx = await readFile(path).catch(asError)
  if (pfx instanceof Error) {
    throw new EngineError('FILE_NOT_FOUND', `drpc.https.keystore.path: ${pfx.message}`)
  }
  const password = conf['drpc.https.key.password'] ?? conf['drpc.https.keystore.password']
  return { pfx, passphrase: String(password ?? '') }
}

export const drpcClientVerb: Verb = {
  usage: 'storm drpc-client [-f FUNCTION ARGUMENT… | FUNCTION ARGUMENT …]',
  summary: 'calls functions of the servers in drpc.servers, and prints their results',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      functionName: { flags: ['-f', '--function'], takes: 'one' },
    })
    const calls = callsOf(one(line, 'functionName'), line.words)
    const client = await connected(await stormConf(line, around), around)
    try {
      for (const [functionName, funcArgs] of calls) {
        const result = await client.call('execute', { functionName, funcArgs })
        around.out(`${functionName} "${funcArgs}" => "${result}"\n`)
      }
    } finally {
      client.close()
    }
    return EXIT_OK
  },
}

function callsOf(functionName: string | undefined, words: readonly string[]): [string, string][] {
  if (words.length === 0) throw new StormUsageError('function and argument are missing')
  if (functionName !== undefined) return words.map(args => [functionName, args])
  if (words.length % 2 !== 0) {
    throw new StormUsageError('a function has no argument: give functions and arguments in turn')
  }
  const calls: [string, string][] = []
  for (let i = 0; i < words.length; i += 2) calls.push([words[i]!, words[i + 1]!])
  return calls
}

// The server fails a request when its time is over; only one that hangs is waited for a little longer.
function answerMs(requestMs: number): number {
  return Math.min(1000 + 1.1 * requestMs, 2 ** 31 - 1)
}

// The first server that answers; they all can.
async function connected(conf: StormConf, around: Surroundings): Promise<DrpcClient> {
  const servers = conf['drpc.servers']
  const hosts = Array.isArray(servers) ? servers.map(String) : []
  const port = numberOf(conf, 'drpc.port', 1)
  const timeoutMs = answerMs(1000 * numberOf(conf, 'drpc.request.timeout.secs', 1))
  const security: ClientSecurity = await clientSecurity(conf, DRPC_PORT_SETTINGS)
  const onSlow = (text: string) =>
    around.note(`storm: ${text} (drpc.request.timeout.secs sets another time)`)
  const reasons: string[] = []
  for (const host of hosts) {
    try {
      return await around.connectDrpc({ host, port, security, timeoutMs, onSlow })
    } catch (error) {
      reasons.push(asError(error).message)
    }
  }
  const why = hosts.length === 0 ? 'drpc.servers names no host' : reasons.join('; ')
  throw new EngineError('DRPC_UNREACHABLE', `no DRPC server found: ${why}`, {
    hint:
      hosts.length === 0
        ? 'set drpc.servers in ~/.storm/storm.yaml, or by -c \'drpc.servers=["localhost"]\''
        : NO_DRPC.hint,
    details: { hosts, port },
  })
}
