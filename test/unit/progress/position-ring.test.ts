import test from 'ava'
import fc from 'fast-check'
import { PositionRing } from '../../../src/progress/position-ring.ts'
import { NONE } from '../../../src/progress/slot.ts'
import '../seed.ts'

const LAST = 0x7fffffff

/** Can be set to any position while empty, to meet what else takes 2^32 pushes. */
class Jumping extends PositionRing {
  jump(position: number): void {
    this.head = position
    this.tail = position
  }
}

test('a value is taken once', t => {
  const ring = new PositionRing()
  const position = ring.push(7)
  t.is(ring.peek(position), 7)
  t.is(ring.take(position), 7)
  t.is(ring.take(position), NONE)
  t.is(ring.peek(position), NONE)
  t.is(ring.open, 0)
})

test('positions never pushed hold nothing', t => {
  const ring = new PositionRing(5)
  ring.push(1)
  t.is(ring.take(4), NONE)
  t.is(ring.take(6), NONE)
  t.is(ring.take(LAST), NONE)
  t.is(ring.open, 1)
})

test('positions wrap at 32 bits', t => {
  const ring = new PositionRing(LAST - 1, { places: 2 })
  const positions = [1, 2, 3, 4].map(value => ring.push(value))
  t.deepEqual(positions, [LAST - 1, LAST, -LAST - 1, -LAST])
  t.deepEqual(
    positions.map(position => ring.take(position)),
    [1, 2, 3, 4],
  )
  t.is(ring.lowest(), ring.next)
})

test('a ring that is mostly open grows', t => {
  const ring = new PositionRing(0, { places: 2 })
  for (let value = 1; value <= 1000; value++) ring.push(value)
  t.is(ring.places, 1024)
  t.is(ring.aside, 0)
  t.deepEqual(
    ring.takeAll(),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  )
  t.is(ring.open, 0)
})

test('one entry open for ever costs one entry, not its span', t => {
  const ring = new PositionRing(0, { places: 16 })
  const stuck = ring.push(99)
  for (let n = 0; n < 100_000; n++) ring.take(ring.push(1))
  t.is(ring.places, 16)
  t.is(ring.aside, 1)
  t.is(ring.lowest(), stuck)
  t.is(ring.take(stuck), 99)
  t.is(ring.aside, 0)
  t.is(ring.open, 0)
})

test('a ring at its widest moves what is open aside', t => {
  const ring = new PositionRing(0, { places: 2, placesMax: 4 })
  for (let value = 1; value <= 100; value++) ring.push(value)
  t.is(ring.places, 4)
  t.true(ring.aside >= 96)
  t.deepEqual(
    ring.positions(),
    Array.from({ length: 100 }, (_, i) => i),
  )
  t.deepEqual(
    ring.takeAll(),
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
})

test('what lies below a limit is taken lowest first, aside and ring apart', t => {
  const ring = new PositionRing(0, { places: 2, placesMax: 4 })
  for (let value = 1; value <= 10; value++) ring.push(value)
  ring.take(1)
  const inRing = ring.positions().length - ring.aside
  const heads = new Int32Array(inRing + 1)
  t.deepEqual(ring.takeAsides(4), [1, 3, 4])
  t.is(ring.takeHeads(4, heads), 0)
  ring.takeAsides(10)
  t.is(ring.open, inRing)
  t.is(ring.takeHeads(10, heads), inRing)
  t.is(ring.open, 0)
})

test('an entry open for 2^32 pushes is still found, and its position can be passed over', t => {
  const ring = new Jumping(0, { places: 2, placesMax: 2 })
  const old = ring.push(42)
  ring.push(1)
  ring.push(2)
  t.is(ring.aside, 1)
  ring.take(1)
  ring.take(2)
  ring.jump(1 << 30)
  t.is(ring.peek(old), 42)
  ring.jump(-1)
  t.true(ring.asideWithin(2))
  t.false(ring.asideWithin(1))
  ring.push(3)
  t.is(ring.next, old)
  ring.pass()
  t.is(ring.push(5), 1)
  t.is(ring.take(old), 42)
  t.deepEqual(ring.takeAll(), [3, 5])
})

test('a ring does what a plain map does', t => {
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('push'), n: fc.nat(1000) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('take'), n: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('below'), n: fc.nat(60) }) },
  )
  const property = fc.property(fc.array(command, { maxLength: 300 }), commands => {
    const ring = new PositionRing(LAST - 20, { places: 2, placesMax: 8 })
    const plain = new Map<number, number>()
    const few = new Int32Array(3)
    for (const { kind, n } of commands) {
      const position = (ring.next - n) | 0
      if (kind === 'push') plain.set(ring.push(n + 1), n + 1)
      else if (kind === 'take') {
        const expected = plain.get(position) ?? NONE
        plain.delete(position)
        if (ring.take(position) !== expected) return false
      } else {
        const below = [...plain.keys()].filter(p => ((p - position) | 0) < 0)
        const taken = ring.takeAsides(position)
        for (let n = -1; n !== 0; taken.push(...few.subarray(0, n)))
          n = ring.takeHeads(position, few)
        if (taken.join() !== below.map(p => plain.get(p)).join()) return false
        for (const p of below) plain.delete(p)
      }
      const lowest = plain.keys().next().value ?? ring.next
      if (ring.open !== plain.size || ring.lowest() !== lowest) return false
    }
    return ring.takeAll().join() === [...plain.values()].join()
  })
  t.notThrows(() => fc.assert(property, { numRuns: 300, seed: 7 }))
})
