// Settings of storm.yaml by which Storm's daemons keep people out, and which nothing here keeps. A daemon that was guarded by one of
// them does not start without a word: it is refused with what keeps people out here. Called by the verbs that start daemons.
import { EngineError } from 'gearpump/spi'
import type { StormConf } from './storm-conf.ts'

interface Guard {
  readonly setting: string
  /** Values that keep nobody out. */
  readonly open: RegExp
  readonly instead: string
}

const GATEWAY =
  'who gets in may do everything, and is said by gateway.usersFile or gateway.tls.ca of gear.yaml'
const PROXY = 'put a proxy before it that asks who comes'

const GUARDS: Readonly<Record<'nimbus' | 'ui' | 'drpc', readonly Guard[]>> = {
  nimbus: [
    {
      setting: 'nimbus.authorizer',
      open: /(?:^|\.)NoopAuthorizer$/,
      instead: `there are no access lists: ${GATEWAY}`,
    },
  ],
  ui: [
    { setting: 'ui.filter', open: /^$/, instead: PROXY },
    { setting: 'ui.https.port', open: /^(?:0|-\d+)$/, instead: `it speaks HTTP: ${PROXY}` },
  ],
  drpc: [
    {
      setting: 'drpc.http.filter',
      open: /^$/,
      instead: 'drpc.thrift.transport and drpc.authorizer keep callers out, over HTTP too',
    },
  ],
}

/** Throws BAD_INPUT for the first that is set. */
export function refuseUnkeptGuards(daemon: keyof typeof GUARDS, conf: StormConf): void {
  for (const { setting, open, instead } of GUARDS[daemon]) {
    const value = conf[setting]
    if (value === undefined || value === null || value === '' || open.test(String(value))) continue
    throw new EngineError('BAD_INPUT', `${setting} is ${value}, which is not kept here`, {
      hint: `${instead}; then take the setting back for this command, by -c ${setting}=null`,
      details: { setting },
    })
  }
}

/** What to say of a transport plug-in that Storm's Nimbus would ask its clients for; undefined if there is none. */
export function unkeptTransport(conf: StormConf): string | undefined {
  for (const setting of ['nimbus.thrift.transport', 'storm.thrift.transport']) {
    const value = conf[setting]
    if (typeof value !== 'string' || value === '' || /SimpleTransportPlugin$/.test(value)) continue
    return `${setting} of storm.yaml is for clients here: ${GATEWAY}`
  }
  return undefined
}
