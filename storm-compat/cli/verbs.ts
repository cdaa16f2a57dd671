// The table of Storm's verbs. `local`, `version` and `help` of the command itself are in storm.ts.
import { activateVerb, deactivateVerb } from './activation.ts'
import { blobstoreVerb } from './blobstore.ts'
import { classpathVerb, serverClasspathVerb } from './classpath.ts'
import { localConfValueVerb, remoteConfValueVerb } from './conf-value.ts'
import { daemonVerbs } from './daemons.ts'
import { drpcClientVerb, drpcVerb } from './drpc.ts'
import { getErrorsVerb } from './get-errors.ts'
import { jarVerb } from './jar.ts'
import { killVerb } from './kill.ts'
import { listVerb } from './list.ts'
import { localVerb } from './local.ts'
import { monitorVerb } from './monitor.ts'
import { nimbusVerb } from './nimbus.ts'
import { rebalanceVerb } from './rebalance.ts'
import { setLogLevelVerb } from './set-log-level.ts'
import { shellVerb } from './shell.ts'
import { uiVerb } from './ui.ts'
import { uploadCredentialsVerb } from './upload-credentials.ts'
import type { Verb } from './verb.ts'
import { versionVerb } from './version.ts'

export const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['local', localVerb],
  ['jar', jarVerb],
  ['shell', shellVerb],
  ['list', listVerb],
  ['kill', killVerb],
  ['activate', activateVerb],
  ['deactivate', deactivateVerb],
  ['rebalance', rebalanceVerb],
  ['get-errors', getErrorsVerb],
  ['monitor', monitorVerb],
  ['set_log_level', setLogLevelVerb],
  ['upload-credentials', uploadCredentialsVerb],
  ['blobstore', blobstoreVerb],
  ['drpc', drpcVerb],
  ['drpc-client', drpcClientVerb],
  ['localconfvalue', localConfValueVerb],
  ['remoteconfvalue', remoteConfValueVerb],
  ['classpath', classpathVerb],
  ['server_classpath', serverClasspathVerb],
  ['ui', uiVerb],
  ['version', versionVerb],
  ['nimbus', nimbusVerb],
  ...daemonVerbs,
])
