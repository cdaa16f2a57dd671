import test from 'ava'
import { RootOrder } from '../../../src/progress/root-order.ts'
import { NONE } from '../../../src/progress/slot.ts'

function expiredAt(order: RootOrder): number[] {
  const expired: number[] = []
  order.rotate(ordinal => {
    expired.push(ordinal)
    order.end(ordinal)
  })
  return expired
}

test('the first of complete and fail ends a root', t => {
  const order = new RootOrder()
  t.is(order.next, 0)
  const ordinal = order.push(7, 100, 'id')
  t.is(order.slotOf(ordinal), 7)
  t.is(order.idOf(ordinal), 'id')
  t.true(order.end(ordinal))
  t.false(order.end(ordinal))
  t.is(order.slotOf(ordinal), NONE)
  t.is(order.idOf(ordinal), undefined)
  t.is(order.open, 0)
})

test('roots may share a stamp and a user id', t => {
  const order = new RootOrder()
  const [a, b] = [order.push(1, 5, 'same'), order.push(2, 5, 'same')]
  t.not(a, b)
  t.true(order.end(b))
  t.is(order.slotOf(a), 1)
})

test('the lowest stamp is that of the oldest open root', t => {
  const order = new RootOrder(0, { places: 2, placesMax: 4 })
  t.is(order.lowestStamp(), Infinity)
  for (let n = 0; n < 50; n++) order.push(n + 1, 1000 + n, n)
  t.is(order.lowestStamp(), 1000)
  order.end(1)
  t.is(order.lowestStamp(), 1000)
  order.end(0)
  t.is(order.lowestStamp(), 1002)
  for (let n = 2; n < 49; n++) order.end(n)
  t.is(order.lowestStamp(), 1049)
  order.end(49)
  t.is(order.lowestStamp(), Infinity)
})

test('a root times out at the second rotation after it was made', t => {
  const order = new RootOrder()
  order.push(1, 0, 'a')
  t.deepEqual(expiredAt(order), [])
  order.push(2, 0, 'b')
  t.deepEqual(expiredAt(order), [0])
  order.push(3, 0, 'c')
  t.deepEqual(expiredAt(order), [1])
  t.deepEqual(expiredAt(order), [2])
  t.deepEqual(expiredAt(order), [])
  t.is(order.open, 0)
})

test('a renewed root is kept for another two rotations, each time', t => {
  const order = new RootOrder(0, { places: 2, placesMax: 4 })
  for (let n = 0; n < 20; n++) order.push(n + 1, 0, n)
  t.deepEqual(expiredAt(order), [])
  order.renew(3)
  order.renew(15)
  t.is(expiredAt(order).length, 18)
  order.renew(15)
  t.deepEqual(expiredAt(order), [3])
  t.deepEqual(expiredAt(order), [15])
})

test('expired roots that are ended while they are told are told once', t => {
  const order = new RootOrder()
  for (let n = 0; n < 4; n++) order.push(n + 1, 0, n)
  order.rotate(() => t.fail())
  const told: [number, number][] = []
  order.rotate((ordinal, slot) => {
    told.push([ordinal, slot])
    for (let n = 0; n < 4; n++) order.end(n)
  })
  t.deepEqual(told, [[0, 1]])
})

test('an expired root that nobody ends is told again', t => {
  const order = new RootOrder()
  order.push(1, 0, 'a')
  order.rotate(() => t.fail())
  let told = 0
  for (let n = 0; n < 3; n++) {
    order.rotate(() => {
      told++
    })
  }
  t.is(told, 3)
})

test('clearing hands over every open root', t => {
  const order = new RootOrder(0x7ffffffe, { places: 2, placesMax: 4 })
  const ordinals = [1, 2, 3, 4, 5, 6].map(slot => order.push(slot, 0, slot))
  t.is(ordinals[2], -0x80000000)
  order.end(ordinals[1]!)
  const orphans: number[] = []
  order.clear((_, slot) => {
    orphans.push(slot)
  })
  t.deepEqual(orphans, [1, 3, 4, 5, 6])
  t.is(order.open, 0)
  t.is(order.lowestStamp(), Infinity)
})

test('memory follows the open roots', t => {
  const order = new RootOrder()
  const stuck = order.push(1, 1, 'stuck')
  for (let n = 0; n < 300_000; n++) order.end(order.push(2, 2, n))
  t.is(order.open, 1)
  t.is(order.idOf(stuck), 'stuck')
  t.is(order.lowestStamp(), 1)
})

test('many open roots keep their slots, stamps and ids apart', t => {
  const order = new RootOrder()
  for (let n = 0; n < 1000; n++) order.push(n + 1, n, `id ${n}`)
  t.is(order.open, 1000)
  t.deepEqual([order.slotOf(777), order.idOf(777)], [778, 'id 777'])
  for (let n = 0; n < 500; n++) order.end(n)
  t.is(order.lowestStamp(), 500)
  order.rotate(() => t.fail())
  t.is(expiredAt(order).length, 500)
})
