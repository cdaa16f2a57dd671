// Entry of an executor process: waits for its order, loads the application's code, and serves the app master's calls until
// it is told to close or its parent has gone.

import { bareError, plainError } from '../actor/plain-error.ts'
import { realEnvironment } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import type { Credentials } from '../task/task.ts'
import { FramePool } from '../transport/frame-pool.ts'
import { SocketTransport } from '../transport/socket-transport.ts'
import { loadCode } from './code.ts'
import { ExecutorHost, type StartOrder } from './executor-host.ts'
import { exitCaller } from './exit-caller.ts'
import type { Plan } from './plan.ts'
import type { ExecutorOrder } from './process-launcher.ts'
import { type Channel, type RpcMessage, serveRpc } from './rpc.ts'

/** How long closing may take when the parent is gone already. */
const ORPHAN_CLOSE_MS = 5000

const channel: Channel = {
  send: message => {
    // Without a callback a parent that has just gone would be an error that nobody handles.
    if (process.connected) process.send!(message, undefined, undefined, () => undefined)
  },
  onMessage: handle => {
    process.on('message', message => handle(message as RpcMessage))
  },
}

let host: ExecutorHost | undefined
const theHost = (): ExecutorHost => host!

async function load(order: ExecutorOrder): Promise<void> {
  const application = await loadCode(order.code)
  const event = (name: string, ...args: unknown[]) => channel.send({ kind: 'event', name, args })
  const pool = new FramePool()
  host = new ExecutorHost({
    environment: realEnvironment,
    application,
    executorId: order.executorId,
    transport: new SocketTransport({ kind: 'unix', directory: order.socketDir, pool }),
    pool,
    token: order.token,
    events: {
      error: (taskId, processor, error) =>
        event('error', taskId, processor, bareError(plainError(error))),
      log: (...args) => event('log', ...args),
      metric: (...args) => event('metric', ...args),
      clock: clocks => event('clock', clocks),
      overflow: overflowing => event('overflow', overflowing),
      positions: positions => event('positions', positions),
    },
  })
}

async function close(): Promise<void> {
  await host?.close()
}

serveRpc(
  channel,
  new Map<string, (...args: never[]) => unknown>([
    ['load', (order: ExecutorOrder) => load(order)],
    ['prepare', () => theHost().prepare()],
    ['start', (order: StartOrder) => theHost().start(order)],
    ['go', (...args: Parameters<ExecutorHost['go']>) => theHost().go(...args)],
    ['replacePeer', (dead: number, fresh: number) => theHost().replacePeer(dead, fresh)],
    ['replan', (plan: Plan) => theHost().replan(plan)],
    ['setActive', (active: boolean) => theHost().setActive(active)],
    ['setCredentials', (credentials: Credentials) => theHost().setCredentials(credentials)],
    ['failOpen', () => theHost().failOpen()],
    ['suspendSources', (suspended: boolean) => theHost().suspendSources(suspended)],
    ['publish', (clockUs: number) => theHost().publish(clockUs)],
    ['status', () => theHost().status()],
    ['stalls', () => theHost().stalls()],
    ['close', close],
  ]),
)

// Nobody reads what the tasks write any more (`gear run … | head`): an error that nobody handles would end this process, and
// those that take its place, again and again. The parent has the same stdout, and decides.
let stdoutGone = false
process.stdout.on('error', () => {
  if (!stdoutGone) channel.send({ kind: 'event', name: 'stdoutGone', args: [] })
  stdoutGone = true
})
process.stderr.on('error', () => undefined)

// The parent decides about the end: a Ctrl-C in the terminal reaches this process too, and must not overtake it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('exit', code => {
  // Our own exits are after its parent has gone.
  if (process.connected) process.stderr.write(exitCaller(code) ?? '')
})
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), ORPHAN_CLOSE_MS).unref()
  close().then(
    () => process.exit(0),
    error => {
      process.stderr.write(`executor: ${asError(error).message}\n`)
      process.exit(1)
    },
  )
})
