// Orders and their payments, joined by order number as they come, in two spouts' own order. Every joined tuple is
// anchored to an order and a payment: multi-anchoring.
// Run it: gear run examples/join/topology.ts --until-drained --stats -- --refuse 100
import { program } from 'gearpump'
import { TopologyBuilder } from 'gearpump/storm'
import { JoinBolt } from './join-bolt.ts'
import { LedgerBolt } from './ledger-bolt.ts'
import { RecordSpout } from './record-spout.ts'

/**
 * Payments come in blocks, each block backwards. A block must be smaller than what a spout may have pending: else
 * both spouts would be full of halves whose other halves may not be emitted.
 */
const BLOCK = 50
const PENDING_MAX = 500

interface Options {
  readonly orders: number
  readonly join: number
  readonly refuse: number
}

/** Number of the order that is paid as the n-th of `count`. */
export function paidAs(n: number, count: number): number {
  const start = n - (n % BLOCK)
  return start + Math.min(BLOCK, count - start) - 1 - (n - start)
}

export function orderPayments({ orders, join, refuse }: Options) {
  const ordered = { count: orders, fields: ['order', 'item'], at: (n: number) => [n, `item ${n}`] }
  const paid = {
    count: orders,
    fields: ['order', 'paid'],
    at: (n: number) => [paidAs(n, orders), 10 + (paidAs(n, orders) % 7)],
  }
  const joined = { left: 'orders', key: 'order', fields: ['order', 'item', 'paid'] }
  const builder = new TopologyBuilder()
  builder.setSpout('orders', () => new RecordSpout(ordered))
  builder.setSpout('payments', () => new RecordSpout(paid))
  builder
    .setBolt('join', () => new JoinBolt(joined), join)
    .fieldsGrouping('orders', ['order'])
    .fieldsGrouping('payments', ['order'])
  builder.setBolt('ledger', () => new LedgerBolt(refuse)).globalGrouping('join')
  return builder.createTopology('order-payments', { 'topology.max.spout.pending': PENDING_MAX })
}

export default program({
  args: {
    orders: { type: 'number', default: 10_000, description: 'orders, and as many payments' },
    join: { type: 'number', default: 2, description: 'tasks that join' },
    refuse: {
      type: 'number',
      default: 0,
      description: 'refuse every n-th order once; 0 = none',
    },
  },
  build: orderPayments,
})
