// The ledger of one partition against a naive model, and its named cases.
import '../../seed.ts'
import test from 'ava'
import fc from 'fast-check'
import type { KafkaRecord } from '../../../../connectors/kafka/client.ts'
import { OffsetLedger, type OpenRecord } from '../../../../storm-compat/kafka/offset-ledger.ts'

function record(offset: number): KafkaRecord {
  return { topic: 't', partition: 0, offset, timestampMs: 0, key: null, value: null, headers: [] }
}

test('the position is the first record that is not finished', t => {
  const ledger = new OffsetLedger(5)
  const [five, six, seven] = [5, 6, 7].map(offset => ledger.open(record(offset)))
  ledger.done(seven!)
  ledger.done(six!)
  t.is(ledger.position, 5)
  t.is(ledger.commitPoint(), undefined)
  ledger.done(five!)
  t.is(ledger.position, 8)
  t.deepEqual(ledger.commitPoint(), { offset: 8, passed: 3 })
})

test('records that were compacted away keep nothing back', t => {
  const ledger = new OffsetLedger(0)
  const entries = [3, 9].map(offset => ledger.open(record(offset)))
  t.is(ledger.position, 3)
  ledger.done(entries[0]!)
  t.is(ledger.position, 9)
  ledger.done(entries[1]!)
  ledger.skipTo(20)
  t.is(ledger.position, 20)
})

test('a commit that was under way while more was finished lets go only what it had', t => {
  const ledger = new OffsetLedger(0)
  const entries = [0, 1, 2].map(offset => ledger.open(record(offset)))
  ledger.done(entries[0]!)
  const point = ledger.commitPoint()!
  ledger.done(entries[1]!)
  ledger.noteCommitted(point)
  t.is(ledger.uncommitted, 2)
  t.is(ledger.committed, 1)
  t.deepEqual(ledger.commitPoint(), { offset: 2, passed: 2 })
})

test('finishing twice counts once', t => {
  const ledger = new OffsetLedger(0)
  const entry = ledger.open(record(0))
  t.true(ledger.done(entry))
  t.false(ledger.done(entry))
  t.is(ledger.uncommitted, 1)
})

type Step =
  | { do: 'open'; gap: number }
  | { do: 'skip'; gap: number }
  | { do: 'done'; which: number }
  | { do: 'ask' }
  | { do: 'answer' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), gap: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), gap: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('done' as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ask' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
)

test('whatever is opened and finished, no commit passes an open record and none is kept back by a gap', t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(1000), (steps, start) => {
      const ledger = new OffsetLedger(start)
      // The model: every offset that exists, and which of them are open.
      const entries: OpenRecord[] = []
      const open = new Set<number>()
      let end = start
      let committed = start
      let asked: ReturnType<OffsetLedger['commitPoint']>
      for (const s of steps) {
        if (s.do === 'open') {
          const offset = end + s.gap
          entries.push(ledger.open(record(offset)))
          open.add(offset)
          end = offset + 1
        } else if (s.do === 'skip') {
          end += s.gap
          ledger.skipTo(end)
        } else if (s.do === 'done' && entries.length > 0) {
          const entry = entries[s.which % entries.length]!
          const wasOpen = open.delete(entry.offset)
          if (ledger.done(entry) !== wasOpen) return false
        } else if (s.do === 'ask') {
          asked = ledger.commitPoint()
        } else if (s.do === 'answer' && asked !== undefined) {
          ledger.noteCommitted(asked)
          committed = asked.offset
          asked = undefined
        }
        const expected = open.size === 0 ? end : Math.min(...open)
        if (ledger.position !== expected || ledger.end !== end) return false
        if (ledger.uncommitted !== entries.filter(e => e.offset >= committed).length) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass()
})
