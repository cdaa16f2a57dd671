import test from 'ava'
import { FailedException, type Tuple } from 'gearpump/storm'
import { JoinBolt } from '../../../../examples/join/join-bolt.ts'
import { LedgerBolt } from '../../../../examples/join/ledger-bolt.ts'
import { RecordSpout } from '../../../../examples/join/record-spout.ts'
import { orderPayments, paidAs } from '../../../../examples/join/topology.ts'
import { boltCollector, contextOf, spoutCollector, tupleOf } from '../fake-storm.ts'

const order = (n: number) => tupleOf('orders', { order: n, item: `item ${n}` })
const payment = (n: number) => tupleOf('payments', { order: n, paid: 10 * n })

function joining(waitingMax?: number) {
  const { done, collector } = boltCollector()
  const bolt = new JoinBolt({
    left: 'orders',
    key: 'order',
    fields: ['order', 'item', 'paid'],
    ...(waitingMax === undefined ? {} : { waitingMax }),
  })
  bolt.prepare({}, contextOf(0), collector)
  const execute = (...tuples: Tuple[]) => {
    for (const tuple of tuples) bolt.execute(tuple)
  }
  return { done, execute }
}

test('a pair is joined when its second half comes, whichever it is, anchored to both', t => {
  const { done, execute } = joining()
  const [order1, order2, payment1, payment2] = [order(1), order(2), payment(1), payment(2)]
  execute(order1, payment2)
  t.deepEqual(done, [])
  execute(order2, payment1)
  t.deepEqual(done, [
    ['emit', [2, 'item 2', 20], [order2, payment2]],
    ['ack', order2],
    ['ack', payment2],
    ['emit', [1, 'item 1', 10], [order1, payment1]],
    ['ack', order1],
    ['ack', payment1],
  ])
})

test('a half that comes again takes the place of the first, which fails', t => {
  const { done, execute } = joining()
  const [first, again, paid] = [order(1), order(1), payment(1)]
  execute(first, again, paid)
  t.is(done[0]?.[1], first)
  t.deepEqual(done.slice(1), [
    ['emit', [1, 'item 1', 10], [again, paid]],
    ['ack', again],
    ['ack', paid],
  ])
})

test('when too many halves wait, the oldest fails', t => {
  const { done, execute } = joining(2)
  const [first, second, third] = [order(1), order(2), payment(3)]
  execute(first, second, third)
  t.deepEqual(done, [['fail', first]])
})

test('payments are all orders, in an order of their own, never far from theirs', t => {
  for (const count of [1, 50, 120]) {
    const numbers = Array.from({ length: count }, (_, n) => paidAs(n, count))
    t.deepEqual(
      [...numbers].sort((a, b) => a - b),
      numbers.map((_, n) => n),
    )
    t.true(numbers.every((order, n) => Math.abs(order - n) < 50))
  }
})

test('a record spout emits what failed again and says its end when all is acked', t => {
  const { emitted, told, collector } = spoutCollector()
  const spout = new RecordSpout({ count: 2, fields: ['n'], at: n => [n] })
  spout.open({}, contextOf(0), collector)
  for (let i = 0; i < 3; i++) spout.nextTuple()
  spout.ack()
  spout.fail(1)
  spout.nextTuple()
  spout.nextTuple()
  t.deepEqual(emitted, [
    [[0], 0],
    [[1], 1],
    [[1], 1],
  ])
  t.false(told.exhausted)
  spout.ack()
  spout.nextTuple()
  t.true(told.exhausted)
})

test('the ledger refuses once and books once', t => {
  let shown = ''
  const ledger = new LedgerBolt(2, text => {
    shown += text
  })
  const joined = (n: number) => tupleOf('join', { order: n, item: '', paid: 10 })
  ledger.execute(joined(1))
  t.throws(() => ledger.execute(joined(2)), { instanceOf: FailedException })
  ledger.execute(joined(2))
  ledger.execute(joined(1))
  ledger.cleanup()
  t.is(shown, '2 orders booked, 20 paid, 1 refused at first\n')
})

test('the topology can be built', t => {
  const { components } = orderPayments({ orders: 10, join: 2, refuse: 0 })
  t.deepEqual(
    components.map(c => c.id),
    ['orders', 'payments', 'join', 'ledger'],
  )
})
