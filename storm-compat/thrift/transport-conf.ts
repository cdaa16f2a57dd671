// What Storm's settings say of a Thrift connection: whether those at its ends log in by SASL digest, and who they are (a JAAS
// file), and whether it is TLS. Storm has no TLS on its DRPC ports, and keeps the keys of its Nimbus' in Java's own stores: for both
// there are settings of ours, with PEM files. Kerberos and other plug-ins are refused by name, before a connection fails without
// a reason.
import { readFile } from 'node:fs/promises'
import { asError, EngineError } from 'gearpump/spi'
import type { ClientSecurity, ClientTls } from './client.ts'
import { jaasLogin, jaasUsers } from './jaas.ts'
import type { PasswordOf } from './sasl-digest.ts'
import type { ServerTls } from './server.ts'

type Conf = Readonly<Record<string, unknown>>

/** A port of Storm's: which setting names its plug-in, and which one makes it TLS. */
export interface PortSettings {
  readonly transport: string
  readonly tls: string
}

export const NIMBUS_PORT_SETTINGS: PortSettings = {
  transport: 'nimbus.thrift.transport',
  tls: 'nimbus.thrift.client.use.tls',
}
export const DRPC_PORT_SETTINGS: PortSettings = {
  transport: 'drpc.thrift.transport',
  tls: 'gearpump.drpc.use.tls',
}
export const INVOCATIONS_PORT_SETTINGS: PortSettings = {
  transport: 'drpc.invocations.thrift.transport',
  tls: 'gearpump.drpc.use.tls',
}

/** Storm's name of its plug-in. */
export const DIGEST_PLUGIN = 'org.apache.storm.security.auth.digest.DigestSaslTransportPlugin'
const JAAS = 'java.security.auth.login.config'

/** How a client comes in at a port. */
export async function clientSecurity(conf: Conf, port: PortSettings): Promise<ClientSecurity> {
  const file = digestFile(conf, port)
  const tls = conf[port.tls] === true ? await clientTls(conf, port) : undefined
  return {
    ...(file === undefined ? {} : { login: jaasLogin(await read(file, JAAS), file) }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** The users of a server's port; undefined if nobody has to log in. */
export async function serverUsers(conf: Conf, port: PortSettings): Promise<PasswordOf | undefined> {
  const file = digestFile(conf, port)
  return file === undefined ? undefined : jaasUsers(await read(file, JAAS), file)
}

/** The keys of a server; undefined if it speaks without TLS. */
export async function serverTls(conf: Conf, port: PortSettings): Promise<ServerTls | undefined> {
  if (conf[port.tls] !== true) return undefined
  const [cert, key, ca] = await tlsFiles(conf)
  if (cert !== undefined && key !== undefined) {
    return { cert, key, ...(ca === undefined ? {} : { ca }) }
  }
  throw new EngineError('BAD_INPUT', `${port.tls} is true, and there are no keys`, {
    hint: 'set gearpump.tls.cert and gearpump.tls.key to PEM files',
  })
}

/** The JAAS file, if the plug-in of the port is Storm's digest; undefined for its simple one. */
function digestFile(conf: Conf, { transport }: PortSettings): string | undefined {
  const plugin = String(conf[transport] ?? conf['storm.thrift.transport'] ?? '')
  const name = plugin.replace(/^.*\./, '')
  if (name === '' || name === 'SimpleTransportPlugin' || name === 'TlsTransportPlugin')
    return undefined
  if (name !== 'DigestSaslTransportPlugin') {
    throw new EngineError('BAD_INPUT', `${transport} is ${plugin}, which is not spoken here`, {
      hint: 'DigestSaslTransportPlugin and SimpleTransportPlugin are',
      details: { plugin },
    })
  }
  const file = conf[JAAS]
  if (typeof file === 'string' && file !== '') return file
  throw new EngineError('BAD_INPUT', `${transport} is ${plugin}, and there is no ${JAAS}`, {
    hint: `set ${JAAS} to a JAAS file with the sections StormServer or StormClient`,
  })
}

async function clientTls(conf: Conf, port: PortSettings): Promise<ClientTls> {
  const [cert, key, ca] = await tlsFiles(conf)
  if (ca === undefined) {
    throw new EngineError('BAD_INPUT', `${port.tls} is true, and nobody says whom to trust`, {
      hint: 'set gearpump.tls.ca to a PEM file (keytool -exportcert -rfc), and gearpump.tls.cert and .key where a certificate is asked for',
    })
  }
  return { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) }
}

function tlsFiles(conf: Conf): Promise<(string | undefined)[]> {
  const keys = ['gearpump.tls.cert', 'gearpump.tls.key', 'gearpump.tls.ca']
  return Promise.all(
    keys.map(async key => {
      const file = conf[key]
      return typeof file === 'string' && file !== '' ? read(file, key) : undefined
    }),
  )
}

async function read(file: string, setting: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(asError)
  if (!(text instanceof Error)) return text
  throw new EngineError('FILE_NOT_FOUND', `${setting}: ${text.message}`, { details: { file } })
}
