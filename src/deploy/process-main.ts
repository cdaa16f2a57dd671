// Entry of an app master or executor process: waits for its order over the fork's channel, listens, answers with its
// address, and does its part until it has nothing left to do or its worker has gone. It loads the part that it plays and
// not the other, for a cluster starts many of these.
import type { ActorSystem } from '../actor/actor-system.ts'
import { exitCaller } from '../app/exit-caller.ts'
import { realEnvironment } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import { streamLog } from '../base/log.ts'
import { APP_MASTER_ID } from '../cluster/messages.ts'
import { openLinks, openSystem } from './node-settings.ts'
import type { BootOrder } from './process-host.ts'
import { shippedApplication } from './shipped-application.ts'

/** How long an executor may take to close when its worker is gone already. */
const CLOSE_MAX_MS = 3000

const log = streamLog(process.stderr, 'info', 'text')
let close: () => Promise<void> = async () => undefined

process.once('message', boot => {
  begin(boot as BootOrder).catch(fail)
})

// Its worker decides about the end.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
process.on('exit', tellCaller)

async function begin(boot: BootOrder): Promise<void> {
  const { order, node, orphanMs } = boot
  const isAppMaster = order.executor === APP_MASTER_ID
  const what = isAppMaster ? `app master ${order.incarnation}` : `executor ${order.executor}`
  const system = await openSystem(`${what} of app ${order.app}`, { ...node, port: 0 }, log)
  process.once('disconnect', () => orphaned(orphanMs))
  if (!process.connected) orphaned(orphanMs)
  await (isAppMaster ? beginAppMaster(boot, system) : beginExecutor(boot, system))
  process.send!(system.node)
}

async function beginAppMaster(
  { order, runDir, logDir }: BootOrder,
  system: ActorSystem,
): Promise<void> {
  const { AppMasterRole } = await import('../app/app-master-role.ts')
  const role = new AppMasterRole({
    environment: realEnvironment,
    system,
    log,
    app: order.app,
    incarnation: order.incarnation,
    masters: order.masters,
    load: () => shippedApplication(order, runDir, logDir),
  })
  role.ended.then(end, fail)
  role.run().catch(fail)
}

async function beginExecutor(
  { order, node, runDir, logDir }: BootOrder,
  system: ActorSystem,
): Promise<void> {
  const { ExecutorRole } = await import('../app/executor-role.ts')
  const { transport, pool } = openLinks(node, runDir)
  const role = new ExecutorRole({
    environment: realEnvironment,
    system,
    executorId: order.executor,
    load: () => shippedApplication(order, runDir, logDir),
    transport,
    pool,
    onEnd: end,
  })
  close = () => role.close('its worker has gone', true)
}

function orphaned(orphanMs: number): void {
  setTimeout(() => {
    setTimeout(() => leave(1), CLOSE_MAX_MS).unref()
    process.stderr.write('its worker has gone\n')
    close().then(() => leave(1), fail)
  }, orphanMs)
}

function end(reason: string): void {
  process.stderr.write(`ended: ${reason}\n`)
  leave(0)
}

function fail(thrown: unknown): void {
  const error = asError(thrown)
  process.stderr.write(`${error.stack ?? error.message}\n`)
  leave(1)
}

function tellCaller(code: number): void {
  process.stderr.write(exitCaller(code) ?? '')
}

function leave(code: number): void {
  process.off('exit', tellCaller)
  process.exit(code)
}
