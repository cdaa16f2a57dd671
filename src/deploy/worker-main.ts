// Entry of a worker process that `gear local` started: told its settings over the fork's channel, and ends with it.
import { asError } from '../base/errors.ts'
import { streamLog } from '../base/log.ts'
import type { WorkerOrder } from './local-cluster.ts'
import { runWorker } from './run-worker.ts'

const log = streamLog(process.stderr, 'info', 'text')
let close: () => Promise<void> = async () => process.exit(0)

// The one who started it decides about the end: a Ctrl-C in the terminal reaches this process too.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.once('disconnect', () => {
  close().then(() => process.exit(0), fail)
})
process.once('message', message => {
  begin(message as WorkerOrder).catch(fail)
})

async function begin({ settings, name }: WorkerOrder): Promise<void> {
  const running = await runWorker({ settings, log, name })
  close = () => running.close()
  await running.failure
}

function fail(thrown: unknown): void {
  process.stderr.write(`${asError(thrown).stack}\n`)
  process.exit(1)
}
