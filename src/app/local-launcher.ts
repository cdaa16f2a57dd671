// Launches executors in this process: one for a plain run, several with memory links for tests.
import type { Environment } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import type { Transport } from '../transport/link.ts'
import type { Application } from './application.ts'
import { ExecutorHost } from './executor-host.ts'
import type { Launcher } from './launcher.ts'

export interface LocalLauncherOptions {
  readonly environment: Environment
  readonly application: Application
  /** Undefined: a single executor, without links. */
  readonly transport?: (executorId: number) => Transport
}

export function localLauncher({
  environment,
  application,
  transport,
}: LocalLauncherOptions): Launcher {
  return {
    launch: async (executorId, token, events) => {
      const host = new ExecutorHost({
        environment,
        application,
        executorId,
        transport: transport?.(executorId),
        token,
        events,
      })
      let ended: (reason: string) => void = () => undefined
      const end = new Promise<string>(resolve => {
        ended = resolve
      })
      const close = async () => {
        await host.close()
        ended('closed')
      }
      return {
        control: {
          prepare: () => host.prepare(),
          start: order => host.start(order),
          go: (active, floorUs, positions) => host.go(active, floorUs, positions),
          replacePeer: (dead, fresh) => host.replacePeer(dead, fresh),
          replan: plan => host.replan(plan),
          setActive: active => host.setActive(active),
          suspendSources: suspended => host.suspendSources(suspended),
          setCredentials: credentials => host.setCredentials(credentials),
          failOpen: () => host.failOpen(),
          publish: clockUs => host.publish(clockUs),
          status: () => host.status(),
          stalls: () => host.stalls(),
          close,
        },
        pid: process.pid,
        ended: end,
        kill: () => {
          // Nothing can end a task of this process that does not end by itself: it is left alone.
          ended('killed')
          host.close().catch(error => events.error(0, 'engine', asError(error)))
        },
      }
    },
  }
}
