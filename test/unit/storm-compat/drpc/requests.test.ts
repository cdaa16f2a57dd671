import test from 'ava'
import {
  FUNCTION_NAME_LENGTH_MAX,
  FUNCTION_REQUESTS_MAX,
  failureOf,
  REQUEST_TIMEOUT_MS,
  Requests,
} from '../../../../storm-compat/drpc/requests.ts'
import { ManualClock } from '../nimbus/_nimbus.ts'

function start(timeoutMs?: number) {
  const clock = new ManualClock()
  const requests = new Requests({ clock, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  /** How a call ended: its result, or `TYPE: reason`. */
  const call = (name: string, args: string, gone?: AbortSignal) =>
    requests.execute(name, args, gone).catch((error: unknown) => {
      const { type, msg } = failureOf(error)
      return `${type}: ${msg}`
    })
  return { clock, requests, call }
}

test('requests are fetched oldest first, per function, and answered by their ids', async t => {
  const { requests, call } = start()
  const first = call('up', 'a')
  const second = call('up', 'b')
  const other = call('down', 'c')
  t.is(requests.fetchRequest('sideways'), undefined)
  const [a, b] = [requests.fetchRequest('up'), requests.fetchRequest('up')]
  t.is(a?.args, 'a')
  t.is(b?.args, 'b')
  t.regex(a!.id, /^\d+$/)
  t.is(requests.fetchRequest('up'), undefined)
  requests.result(b!.id, 'B')
  requests.result(a!.id, 'A')
  requests.result(requests.fetchRequest('down')!.id, 'C')
  t.deepEqual(await Promise.all([first, second, other]), ['A', 'B', 'C'])
  t.is(requests.size, 0)
})

test('a request that is failed tells why; one that ended before is passed over', async t => {
  const { requests, call } = start()
  const failing = call('f', '')
  const { id } = requests.fetchRequest('f')!
  requests.failRequest(id, 'no such page')
  requests.failRequest(id, 'again')
  requests.result(id, 'too late')
  t.is(await failing, 'FAILED_REQUEST: no such page')
})

test('time-outs come after exactly their time, for fetched and unfetched requests, each with its reason', async t => {
  const { clock, requests, call } = start()
  const fetched = call('f', '1')
  requests.fetchRequest('f')
  const unfetched = call('f', '2')
  clock.move(REQUEST_TIMEOUT_MS - 1)
  t.is(requests.size, 2)
  clock.move(1)
  t.regex(await fetched, /^SERVER_TIMEOUT: Timed Out: the topology told no result .* within 600 s/)
  t.regex(await unfetched, /^SERVER_TIMEOUT: Timed Out: no topology fetched/)
  t.is(requests.fetchRequest('f'), undefined)
})

test('a caller that goes away frees its request, before and after it was fetched', async t => {
  const { requests, call } = start()
  const callers = [new AbortController(), new AbortController()]
  const calls = callers.map((caller, i) => call('f', String(i), caller.signal))
  const { id } = requests.fetchRequest('f')!
  for (const caller of callers) caller.abort()
  t.is(requests.size, 0)
  t.is(requests.fetchRequest('f'), undefined)
  requests.result(id, 'nobody listens')
  t.regex((await Promise.all(calls)).join(), /went away.*went away/)
  t.regex(await call('f', '', callers[0]!.signal), /went away/)
  t.is(requests.size, 0)
})

test('what waits is bounded per function, and names are not kept', async t => {
  const { requests, call } = start()
  const calls = Array.from({ length: FUNCTION_REQUESTS_MAX }, () => call('f', ''))
  t.regex(await call('f', ''), /^INTERNAL_ERROR: 2000 requests of "f" wait already/)
  const other = call('g', '')
  requests.result(requests.fetchRequest('g')!.id, 'fine')
  t.is(await other, 'fine')
  t.regex(await call('x'.repeat(FUNCTION_NAME_LENGTH_MAX + 1), ''), /1001 letters/)
  requests.close()
  t.deepEqual([...new Set(await Promise.all(calls))], ['SERVER_SHUTDOWN: Server Shutting Down'])
  t.is(await call('f', ''), 'SERVER_SHUTDOWN: Server Shutting Down')
})

test('arguments of all requests together are bounded', async t => {
  const { requests, call } = start()
  const args = 'x'.repeat(1024 * 1024)
  const calls = Array.from({ length: 64 }, (_, i) => call(`f${i}`, args))
  t.regex(await call('g', 'y'), /too many requests wait/)
  requests.result(requests.fetchRequest('f0')!.id, '')
  await calls[0]
  const more = call('g', 'y')
  requests.close()
  t.regex(await more, /SERVER_SHUTDOWN/)
})

test('ids of a server that was started later are others, so that late results find no request', t => {
  const { requests, clock, call } = start()
  void call('f', '')
  const before = Number(requests.fetchRequest('f')!.id)
  clock.move(1000)
  const later = new Requests({ clock })
  later.execute('f', '').catch(() => undefined)
  t.true(Number(later.fetchRequest('f')!.id) > before)
})
