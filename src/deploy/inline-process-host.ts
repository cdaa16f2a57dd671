// App masters and executors in this very process, each with actors of its own: for `gear local --same-process`, and for
// whoever wants to step through all of a cluster in one debugger. Nothing can end a task that does not end by itself.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppMasterRole } from '../app/app-master-role.ts'
import { ExecutorRole } from '../app/executor-role.ts'
import { realEnvironment } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { APP_MASTER_ID } from '../cluster/messages.ts'
import type { ProcessHost, ProcessOrder, RunningProcess } from '../cluster/worker.ts'
import type { LogDirectories } from './log-directories.ts'
import { type NodeSettings, openLinks, openSystem } from './node-settings.ts'
import { shippedApplication } from './shipped-application.ts'

export interface InlineProcessHostOptions {
  readonly node: NodeSettings
  readonly directory: string
  readonly log: Log
  readonly logs: LogDirectories
}

export class InlineProcessHost implements ProcessHost {
  readonly #options: InlineProcessHostOptions

  constructor(options: InlineProcessHostOptions) {
    this.#options = options
  }

  async start(order: ProcessOrder): Promise<RunningProcess> {
    const { node, directory, log: lines, logs } = this.#options
    const { app, executor, incarnation, masters, name } = order
    const isAppMaster = executor === APP_MASTER_ID
    const what = isAppMaster ? `app-master-${incarnation}` : `executor-${executor}`
    const runDir = join(directory, 'run', `${app}-${what}`)
    const logDir = logs.begun(app, name)
    await mkdir(join(runDir, 'pids'), { recursive: true })
    await mkdir(logDir, { recursive: true })
    const system = await openSystem(`${what} of app ${app}`, { ...node, port: 0 }, lines)
    let end: (reason: string) => void = () => undefined
    const ended = new Promise<string>(resolve => {
      end = reason => {
        const gone = system
          .close()
          .then(() => rm(runDir, { recursive: true, force: true }))
          .finally(() => void logs.ended(app))
        gone.then(
          () => resolve(reason),
          error => resolve(`${reason}; ${asError(error).message}`),
        )
      }
    })
    const environment = realEnvironment
    const load = () => shippedApplication(order, runDir, logDir)
    let kill = () => end('killed')
    if (isAppMaster) {
      const role = new AppMasterRole({
        environment,
        system,
        log: lines,
        app,
        incarnation,
        masters,
        load,
      })
      void role.ended.then(end)
      role.run().catch(error => log(lines, 'error', what, asError(error).message))
    } else {
      const { transport, pool } = openLinks(node, runDir)
      const role = new ExecutorRole({
        environment,
        system,
        executorId: executor,
        load,
        transport,
        pool,
        onEnd: reason => end(reason),
      })
      kill = () => {
        role.close('killed').then(
          () => end('killed'),
          error => end(asError(error).message),
        )
      }
    }
    return { pid: process.pid, node: system.node, ended, kill }
  }
}
