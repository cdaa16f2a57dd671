// Executors in processes of their own: one that cannot load its code is told with the reason and ends.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { application, type EngineError, graph, processor, source } from 'gearpump'
import { processLauncher } from '../../../src/app/process-launcher.ts'
import { smallApp } from './_small-app.ts'

const dag = () =>
  graph(
    source<number>('s', () => ({ next: () => 'end' })).to(
      processor<number, never>('p', () => ({ onNext: () => undefined })),
    ),
  )
const events = {
  error: () => undefined,
  log: () => undefined,
  metric: () => undefined,
  clock: () => undefined,
  overflow: () => undefined,
}

test('an application without code cannot run in several processes', async t => {
  const error = await t.throwsAsync<EngineError>(processLauncher(application('x', dag())))
  t.is(error!.code, 'BAD_INPUT')
})

test('an executor whose code does not load says why, and its process ends', async t => {
  const code = {
    module: new URL('no-such-file.mjs', import.meta.url).href,
    export: 'app',
    input: null,
  }
  const launcher = await processLauncher(application('x', dag(), { code }))
  const children = () =>
    process.getActiveResourcesInfo().filter(name => name === 'ProcessWrap').length
  const before = children()
  await t.throwsAsync(launcher.launch(1, 'token', events), { message: /no-such-file/ })
  // Its exit is an event: when it has come, nothing of it keeps this process alive.
  while (children() > before) await new Promise<void>(resolve => setImmediate(resolve))
  await launcher.close()
  t.pass()
})

/** One letter of /proc: Z for a process that has ended and was not waited for. */
function state(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) (\w)/)?.[1]
}

test('calls to an executor that was killed a moment ago are refused with the reason, and end nobody else', async t => {
  const launcher = await processLauncher(smallApp())
  const executor = await launcher.launch(1, 'token', events)
  process.kill(executor.pid!, 'SIGKILL')
  // Without letting the event loop run: it has died, its pipe is closed, and Node still counts it as connected.
  while (state(executor.pid!) !== 'Z');
  const calls = [1, 2, 3].map(clockUs =>
    executor.control.publish(clockUs).catch((error: EngineError) => error.code),
  )
  t.is(await executor.ended, 'signal SIGKILL')
  t.deepEqual([...new Set(await Promise.all(calls))], ['EXECUTOR_DIED'])
  await launcher.close()
})
