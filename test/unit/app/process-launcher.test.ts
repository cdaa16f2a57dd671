// Executors in processes of their own: one that cannot load its code is told with the reason and ends.

import test from 'ava'
import { application, type EngineError, graph, processor, source } from 'gearpump'
import { processLauncher } from '../../../src/app/process-launcher.ts'

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
