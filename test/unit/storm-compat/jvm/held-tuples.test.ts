// The ring of held tuples against a plain map, over runs in which tuples are let go in any order, or by others.
import test from 'ava'
import fc from 'fast-check'
import { HeldTuples } from '../../../../storm-compat/jvm/held-tuples.ts'
import '../../seed.ts'

interface Held {
  open: boolean
  readonly nth: number
}

type Step = readonly ['add' | 'take' | 'get' | 'lapse' | 'all', number]

const steps = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 60, arbitrary: fc.constant('add' as const) },
      { weight: 30, arbitrary: fc.constant('take' as const) },
      { weight: 10, arbitrary: fc.constantFrom('get' as const, 'lapse' as const) },
      { weight: 1, arbitrary: fc.constant('all' as const) },
    ),
    fc.nat(400),
  ),
  { minLength: 300, maxLength: 1_500 },
) as fc.Arbitrary<Step[]>

function agrees(all: readonly Step[]): boolean {
  // Small, so that the table of elders has its part.
  const ring = new HeldTuples<Held>(128)
  const model = new Map<number, Held>()
  let nth = 0
  for (const [step, pick] of all) {
    const numbers = [...model.keys()]
    const number = numbers[pick % Math.max(1, numbers.length)] ?? 0
    const expected = model.get(number)
    if (step === 'add') {
      const held = { open: true, nth: ++nth }
      model.set(ring.add(held), held)
    } else if (step === 'lapse') {
      // Its place may be taken by another from now on; nobody may ask for it and get that one.
      if (expected !== undefined) expected.open = false
    } else if (step === 'all') {
      const open = (list: Iterable<Held>) => [...list].filter(held => held.open)
      const taken = open(ring.takeAll()).map(held => held.nth)
      if (
        taken.join() !==
        open(model.values())
          .map(held => held.nth)
          .join()
      )
        return false
      model.clear()
    } else {
      const found = step === 'take' ? ring.take(number) : ring.get(number)
      if (expected?.open === true ? found !== expected : found?.open === true) return false
      if (step === 'take') model.delete(number)
    }
  }
  return true
}

test('holds the tuples that a map would hold, under the numbers that it gave', t => {
  t.notThrows(() => fc.assert(fc.property(steps, agrees), { numRuns: 200 }))
})

test('keeps a tuple that is held while many thousand others come and go', t => {
  const ring = new HeldTuples<Held>()
  const long = [1, 2, 3].map(nth => ring.add({ open: true, nth }))
  for (let i = 0; i < 50_000; i++) t.is(ring.take(ring.add({ open: true, nth: 0 }))?.nth, 0)
  t.is(ring.size, 3)
  t.deepEqual(
    long.map(number => ring.take(number)?.nth),
    [1, 2, 3],
  )
  t.is(ring.size, 0)
})

test('forgets tuples that were let go by others', t => {
  const ring = new HeldTuples<Held>()
  let open: Held[] = []
  for (let i = 0; i < 200_000; i++) {
    const held = { open: true, nth: i }
    ring.add(held)
    open.push(held)
    // As a time-out does: nobody tells the ring.
    if (open.length === 20_000) {
      for (const late of open) late.open = false
      open = []
    }
  }
  t.true(ring.size < 50_000, `${ring.size} are kept`)
})

test('a number that was taken is nobody’s', t => {
  const ring = new HeldTuples<Held>()
  const number = ring.add({ open: true, nth: 1 })
  t.is(ring.take(number)?.nth, 1)
  t.is(ring.take(number), undefined)
  t.is(ring.get(number), undefined)
  t.is(ring.get(0), undefined)
})
