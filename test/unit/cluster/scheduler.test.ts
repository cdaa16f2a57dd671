import test from 'ava'
import fc from 'fast-check'
import {
  type ExecutorRequest,
  faultOf,
  type Placement,
  place,
  RESOURCES,
  type WorkerOffer,
} from '../../../src/cluster/scheduler.ts'
import { builtIn } from '../../../src/cluster/strategies.ts'
import '../seed.ts'

const none = { slots: 0, cpu: 0, memoryMb: 0 }

function worker(id: string, more: Partial<WorkerOffer> = {}): WorkerOffer {
  return { id, host: id, labels: {}, slots: 4, cpu: 4, memoryMb: 4096, used: none, ...more }
}

function request(count: number, more: Partial<ExecutorRequest> = {}): ExecutorRequest {
  return { app: 1, count, each: { cpu: 1, memoryMb: 512 }, strategy: 'spread', ...more }
}

function placed(placement: Placement): readonly string[] {
  if ('placed' in placement) return placement.placed
  throw new Error(`not placed: ${placement.reason}`)
}

function perWorker(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1
  return counts
}

test('an exact fit fits, in each resource and to the last one', t => {
  t.is(placed(place([worker('a')], request(4), builtIn)).length, 4)
  const full = { each: { cpu: 4, memoryMb: 4096 } }
  t.deepEqual(placed(place([worker('a', { slots: 1 })], request(1, full), builtIn)), ['a'])
})

test('fractions of cores add up: ten times 0.1 is one core', t => {
  const offer = worker('a', { slots: 100, cpu: 1 })
  const tenth = { each: { cpu: 0.1, memoryMb: 0 } }
  t.is(placed(place([offer], request(10, tenth), builtIn)).length, 10)
  t.like(place([offer], request(11, tenth), builtIn), { missing: 1 })
  const used = { slots: 2, cpu: 0.2, memoryMb: 0 }
  t.is(placed(place([{ ...offer, cpu: 0.3, used }], request(1, tenth), builtIn)).length, 1)
})

test('a refusal says how many are missing, of what, and why', t => {
  const offers = [worker('a'), worker('b', { used: { slots: 0, cpu: 0, memoryMb: 4000 } })]
  t.deepEqual(place(offers, request(7), builtIn), {
    missing: 3,
    reason:
      '4 of 7 executors (one slot, 1 cores and 512 MB each) fit on 2 workers: what is free is on different workers',
  })
  t.deepEqual(place([worker('a')], request(9), builtIn), {
    missing: 5,
    reason:
      '4 of 9 executors (one slot, 1 cores and 512 MB each) fit on the one worker: ' +
      'free slots for 4, free cores for 4, free memory for 8',
  })
  t.like(place([], request(1), builtIn), { missing: 1 })
})

test('spread is even over workers, then over hosts', t => {
  const offers = [
    worker('a', { host: 'one' }),
    worker('b', { host: 'one' }),
    worker('c', { host: 'two' }),
  ]
  t.deepEqual(placed(place(offers, request(2), builtIn)), ['a', 'c'])
  t.deepEqual(perWorker(placed(place(offers, request(6), builtIn))), { a: 2, b: 2, c: 2 })
  // The last round goes to the host that has the fewest.
  t.deepEqual(perWorker(placed(place(offers, request(4), builtIn))), { a: 1, b: 1, c: 2 })
})

test('spread begins with the worker that has the least to do', t => {
  const offers = [worker('a', { used: { slots: 2, cpu: 2, memoryMb: 0 } }), worker('b')]
  t.deepEqual(placed(place(offers, request(1), builtIn)), ['b'])
})

test('pack leaves large rooms whole when a small one does', t => {
  const offers = [worker('a'), worker('b', { slots: 2 }), worker('c', { slots: 3 })]
  t.deepEqual(placed(place(offers, request(2, { strategy: 'pack' }), builtIn)), ['b', 'b'])
  const six = perWorker(placed(place(offers, request(6, { strategy: 'pack' }), builtIn)))
  t.deepEqual(six, { a: 4, b: 2 })
})

test('locality fills the workers near the application first, and then the others', t => {
  const offers = [worker('a'), worker('b'), worker('c')]
  const near = { strategy: 'locality', near: ['c'] }
  t.deepEqual(perWorker(placed(place(offers, request(5, near), builtIn))), { c: 4, b: 1 })
})

test('labels restrict every strategy, and the strategy of that name demands them', t => {
  const ssd = { labels: { disk: 'ssd' } }
  const offers = [worker('a', { labels: { disk: 'hdd' } }), worker('b', ssd), worker('c', ssd)]
  for (const strategy of builtIn.keys()) {
    const ids = placed(place(offers, request(4, { strategy, ...ssd }), builtIn))
    t.false(ids.includes('a'), strategy)
  }
  t.like(place(offers, request(1, { strategy: 'labels' }), builtIn), { missing: 1 })
  t.like(place(offers, request(9, { strategy: 'labels', ...ssd }), builtIn), { missing: 1 })
  // An object has names of its own that no worker was given.
  t.like(place(offers, request(1, { labels: { toString: 'x' } }), builtIn), { missing: 1 })
  const pack = request(3, { strategy: 'labels+pack', ...ssd })
  t.is(Object.keys(perWorker(placed(place(offers, pack, builtIn)))).length, 1)
})

test('a worker to avoid is used only when the others are full', t => {
  const offers = [worker('a'), worker('b')]
  for (const strategy of ['spread', 'pack', 'locality']) {
    const avoid = { strategy, avoid: ['a'], near: ['a'] }
    t.deepEqual(perWorker(placed(place(offers, request(4, avoid), builtIn))), { b: 4 }, strategy)
    t.deepEqual(perWorker(placed(place(offers, request(5, avoid), builtIn))), { b: 4, a: 1 })
  }
})

test('a request that makes no sense is refused, and a strategy is suggested', t => {
  t.throws(() => place([], request(-1), builtIn), { code: 'BAD_INPUT' })
  t.throws(() => place([], request(1.5), builtIn), { code: 'BAD_INPUT' })
  t.throws(() => place([], request(1, { each: { cpu: Number.NaN, memoryMb: 1 } }), builtIn), {
    message: /cpu of an executor is a number from 0 up, not NaN/,
  })
  const error = t.throws(() => place([], request(1, { strategy: 'spred' }), builtIn))
  t.like(error, { code: 'BAD_INPUT', hint: 'did you mean "spread"?' })
})

test('what a strategy answers is checked', t => {
  const offers = [worker('a', { slots: 1 })]
  const wrong: readonly [unknown, RegExp][] = [
    [undefined, /returned no placement/],
    [{ placed: 'a' }, /no list/],
    [{ placed: ['a'] }, /placed 1 executors where 2/],
    [{ placed: ['a', 'z'] }, /worker "z", which is not on offer/],
    [{ placed: ['a', 'a'] }, /2 executors on worker "a", whose slots are enough for 1/],
    [{ missing: 0, reason: 'x' }, /0 of 2/],
    [{ missing: 1, reason: '' }, /no reason/],
  ]
  for (const [answer, message] of wrong) {
    t.regex(faultOf(answer as Placement, offers, request(2)) ?? '', message)
    const strategies = new Map([['mine', () => answer as Placement]])
    const asked = request(2, { strategy: 'mine' })
    t.throws(() => place(offers, asked, strategies), { code: 'STRATEGY_FAILED', message })
  }
})

test('the largest request over a thousand workers is a matter of milliseconds', t => {
  const offers = Array.from({ length: 1000 }, (_, i) =>
    worker(`w${i}`, { host: `h${i % 100}`, slots: 16, cpu: 16, memoryMb: 16_384 }),
  )
  for (const strategy of ['spread', 'pack', 'locality']) {
    const startedMs = performance.now()
    const asked = request(9999, { strategy, near: ['w1'] })
    t.is(placed(place(offers, asked, builtIn)).length, 9999)
    // One by one over all workers it would be ten million steps, and many seconds.
    t.true(performance.now() - startedMs < 3000, strategy)
  }
})

// ---- properties

const resources = (max: number) =>
  fc.record({
    slots: fc.integer({ min: 0, max }),
    cpu: fc.integer({ min: 0, max: max * 10 }).map(tenths => tenths / 10),
    memoryMb: fc.integer({ min: 0, max: max * 512 }),
  })

const offersOf = fc
  .array(
    fc.record({
      total: resources(8),
      used: resources(3),
      host: fc.constantFrom('one', 'two', 'three'),
      zone: fc.constantFrom('x', 'y'),
    }),
    { maxLength: 7 },
  )
  .map(workers =>
    workers.map(({ total, used, host, zone }, i) =>
      worker(`w${i}`, { ...total, used, host, labels: { zone } }),
    ),
  )

const requestOf = fc.record({
  app: fc.constant(1),
  count: fc.integer({ min: 0, max: 20 }),
  each: fc.record({
    cpu: fc.constantFrom(0, 0.1, 0.3, 0.5, 1, 1.7, 2),
    memoryMb: fc.constantFrom(0, 100, 512, 1000),
  }),
  strategy: fc.constantFrom('spread', 'pack', 'locality', 'labels+pack'),
  labels: fc.constantFrom({ zone: 'x' }, { zone: 'y' }),
  near: fc.subarray(['w0', 'w1', 'w2']),
  avoid: fc.subarray(['w1', 'w2', 'w3']),
})

/** By trying one more and one more: as far from the code's own division as possible. */
function fitsOn(offer: WorkerOffer, { each }: Pick<ExecutorRequest, 'each'>): number {
  const need = { slots: 1, ...each }
  // What is not asked for may be over-used by others without being in the way.
  const fits = (n: number) =>
    RESOURCES.every(r => need[r] === 0 || offer.used[r] + n * need[r] <= offer[r] + 1e-9)
  let count = 0
  while (fits(count + 1)) count++
  return count
}

test('nothing is over-committed, all are placed or none, and they are exactly when they fit', t => {
  fc.assert(
    fc.property(offersOf, requestOf, (offers, asked) => {
      const placement = place(offers, asked, builtIn)
      const usable = offers.filter(o => o.labels.zone === asked.labels.zone)
      const room = usable.reduce((total, o) => total + fitsOn(o, asked), 0)
      if ('placed' in placement) {
        t.is(placement.placed.length, asked.count)
        for (const [id, count] of Object.entries(perWorker(placement.placed))) {
          const offer = usable.find(o => o.id === id)!
          t.true(count <= fitsOn(offer, asked))
        }
      }
      t.is('placed' in placement, room >= asked.count)
      if (!('placed' in placement)) t.is(placement.missing, asked.count - room)
    }),
  )
})

test('the order of the offers changes nothing', t => {
  fc.assert(
    fc.property(
      offersOf.chain(o =>
        fc.tuple(fc.constant(o), fc.shuffledSubarray(o, { minLength: o.length })),
      ),
      requestOf,
      ([offers, shuffled], asked) => {
        t.deepEqual(place(shuffled, asked, builtIn), place(offers, asked, builtIn))
      },
    ),
  )
})

test('spread: who has room left has at most one less than anybody', t => {
  fc.assert(
    fc.property(offersOf, requestOf, (offers, { avoid: _, labels: __, ...asked }) => {
      const placement = place(offers, { ...asked, strategy: 'spread' }, builtIn)
      if (!('placed' in placement)) return
      const counts = perWorker(placement.placed)
      const most = Math.max(0, ...Object.values(counts))
      for (const offer of offers) {
        const own = counts[offer.id] ?? 0
        if (own < fitsOn(offer, asked)) t.true(own >= most - 1)
      }
    }),
  )
})

test('pack: no smaller set of workers would do', t => {
  fc.assert(
    fc.property(offersOf, requestOf, (offers, { avoid: _, labels: __, ...asked }) => {
      const placement = place(offers, { ...asked, strategy: 'pack' }, builtIn)
      if (!('placed' in placement)) return
      const used = Object.keys(perWorker(placement.placed)).length
      const rooms = offers.map(o => fitsOn(o, asked))
      for (let set = 0; set < 1 << rooms.length; set++) {
        const members = rooms.filter((_, i) => (set & (1 << i)) !== 0)
        if (members.length >= used) continue
        t.true(members.reduce((a, b) => a + b, 0) < asked.count)
      }
    }),
  )
})
