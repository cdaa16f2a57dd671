// The engine in this process as a user's program meets it: what cannot be submitted is refused, and what has ended stays so.
import test from 'ava'
import { application, connect, type EngineError, graph, processor, source } from 'gearpump'

const small = (name: string) => {
  const end = processor<number, never>('end', () => ({ onNext: () => undefined }))
  return application(
    name,
    graph(source<number>('none', () => ({ next: () => 'end' as const })).to(end)),
  )
}

test('what is no application, and numbers of executors that there cannot be, are refused', async t => {
  const gear = await connect()
  t.teardown(() => gear.close())
  const refused = async (given: unknown, executors: unknown = 1) =>
    (await t.throwsAsync<EngineError>(
      gear.submit(given as never, { executors: executors as number }),
    ))!
  for (const executors of [0, -1, 1.5, '2', Number.NaN, Number.POSITIVE_INFINITY])
    t.regex((await refused(small('x'), executors)).message, /^executors is /)
  for (const given of [undefined, null, {}, small('x').dag]) {
    const error = await refused(given)
    t.is(error.code, 'BAD_INPUT')
    t.regex(error.message, /is no application/)
  }
  t.deepEqual(await gear.list(), [])
  const app = await gear.submit(small('x'))
  await t.throwsAsync(app.rebalance(0), { message: /^executors is 0/ })
})

test('an application that was killed stays stopped, and nothing is submitted to what was closed', async t => {
  const gear = await connect()
  const app = await gear.submit(small('x'))
  await app.kill()
  await app.setActive(true)
  t.is((await gear.info('x')).status, 'stopped')
  await gear.close()
  await t.throwsAsync(gear.submit(small('y')), { message: /this gear was closed/ })
})

test('what is submitted while the gear is closed, or twice at the same time, does not run', async t => {
  const gear = await connect()
  const twice = await Promise.allSettled([gear.submit(small('x')), gear.submit(small('x'))])
  t.deepEqual(
    twice.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  const late = gear.submit(small('y'))
  const refused = t.throwsAsync(late, { message: /this gear was closed/ })
  await gear.close()
  await refused
  t.deepEqual(
    (await gear.list()).map(({ name, status }) => `${name} ${status}`),
    ['x stopped'],
  )
})

test('masters are a list with something in it', async t => {
  for (const masters of [undefined, [], '127.0.0.1:3000', null]) {
    const error = await t.throwsAsync<EngineError>(connect({ masters: masters as never }))
    t.regex(error!.message, /^masters is .*must be a list of host:port/)
  }
})
