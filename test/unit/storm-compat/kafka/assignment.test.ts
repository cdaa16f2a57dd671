// Who reads which partition.
import '../../seed.ts'
import test from 'ava'
import fc from 'fast-check'
import { partitionsOf } from '../../../../storm-compat/kafka/assignment.ts'

function topic(name: string, partitions: number) {
  return {
    topic: name,
    partitions: Array.from({ length: partitions }, (_, partition) => ({ partition, leader: 1 })),
  }
}

test('partitions are sorted by topic and number and dealt out one by one', t => {
  const topics = [topic('b', 2), topic('a', 3)]
  const names = (index: number) =>
    partitionsOf(topics, { index, count: 2 }).map(p => `${p.topic}${p.partition}`)
  t.deepEqual(names(0), ['a0', 'a2', 'b1'])
  t.deepEqual(names(1), ['a1', 'b0'])
})

test('every partition is read by exactly one task, in whatever order the broker names them', t => {
  const sizes = fc.array(fc.nat(12), { maxLength: 5 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 8 }), fc.boolean(), (counts, count, turned) => {
      const topics = counts.map((size, at) => topic(`t${at}`, size))
      if (turned) topics.reverse()
      const dealt = Array.from({ length: count }, (_, index) =>
        partitionsOf(topics, { index, count }),
      )
      const names = dealt.flat().map(p => `${p.topic}-${p.partition}`)
      const total = counts.reduce((a, b) => a + b, 0)
      return names.length === total && new Set(names).size === total
    }),
  )
  t.pass()
})
