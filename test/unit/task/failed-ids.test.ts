// Which ids failed and were not done since.
import test from 'ava'
import { FailedIds } from '../../../src/task/failed-ids.ts'

test('equal ids are one id, though they are different objects', t => {
  const ids = new FailedIds()
  ids.failed({ a: [1, 2n] })
  ids.failed('json {"a":1}')
  ids.failed(7)
  ids.failed(7)
  t.is(ids.size, 3)
  ids.done({ a: [1, 2n] })
  ids.done(7)
  ids.done('never failed')
  t.is(ids.size, 1)
  t.false(ids.overflowed)
})

test('an id in a wrapper is the one in it', t => {
  const ids = new FailedIds()
  const wrapped = (id: unknown) => ({ valueOf: () => id })
  for (const id of ['5', 7, { a: 1 }]) {
    ids.failed(wrapped(id))
    ids.done(id)
    t.is(ids.size, 0, JSON.stringify(id))
  }
  ids.failed(undefined)
  ids.failed(null)
  t.is(ids.size, 2)
})

test('an id that contains itself, or is an instance of a class, is itself', t => {
  class Row {
    next: Row | undefined
  }
  const ids = new FailedIds()
  const circle: { self?: unknown } = {}
  circle.self = circle
  const [row, other] = [new Row(), new Row()]
  for (const id of [circle, row, other]) ids.failed(id)
  t.is(ids.size, 3)
  // Linked in a ring meanwhile, as the records of a spout are: it is the same one.
  row.next = other
  other.next = row
  for (const id of [circle, row]) ids.done(id)
  t.is(ids.size, 1)
  ids.done(other)
  t.false(ids.any)
})
