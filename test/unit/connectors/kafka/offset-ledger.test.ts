// The ledger of a partition against a naive one that keeps a set of offsets; and what survives a commit.
import test from 'ava'
import fc from 'fast-check'
import {
  OffsetLedger,
  readMetadata,
  together,
  writeMetadata,
} from '../../../../connectors/kafka/offset-ledger.ts'
import '../../seed.ts'

const START = { low: 0, runs: [] }

/** Offsets done, by an account of where it stands. */
function doneIn({ low, runs }: { low: number; runs: readonly (readonly [number, number])[] }) {
  return (offset: number) => offset < low || runs.some(([s, e]) => s <= offset && offset < e)
}

/** Reads records with holes, ends some in any order, and tells what is done. */
const lives = fc.array(
  fc.record({
    holes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 }),
    ends: fc.array(fc.nat(1000), { maxLength: 30 }),
    bytesMax: fc.integer({ min: 20, max: 200 }),
  }),
  { minLength: 1, maxLength: 4 },
)

test('over any number of lives nothing undone counts as done, and what a full account names is not read again', t => {
  const holds = () =>
    fc.assert(
      fc.property(lives, steps => {
        const reallyDone = new Set<number>()
        const records: number[] = []
        let ledger = new OffsetLedger(START)
        for (const { holes, ends, bytesMax } of steps) {
          const last = records.at(-1) ?? -1
          let offset = last
          for (const hole of holes) {
            offset += hole + 1
            records.push(offset)
          }
          // This life reads from where its ledger begins, and all that is there.
          const open: number[] = []
          const before = doneIn(ledger.standing())
          for (const record of records) {
            if (!ledger.wants(record)) {
              if (!reallyDone.has(record)) return false
              continue
            }
            if (before(record)) return false
            ledger.begin(record)
            open.push(record)
          }
          for (const pick of ends) {
            const [ended] = open.splice(pick % Math.max(1, open.length), 1)
            if (ended === undefined) continue
            ledger.finish(ended)
            reallyDone.add(ended)
          }
          const text = writeMetadata(ledger, { startedS: 5, bytesMax })
          if (text.length > bytesMax) return false
          const kept = readMetadata(ledger.low, text) ?? { low: ledger.low, runs: [] }
          for (const account of [ledger.standing(), kept]) {
            const done = doneIn(account)
            if (records.some(record => done(record) && !reallyDone.has(record))) return false
          }
          const full = doneIn(ledger.standing())
          if ([...reallyDone].some(record => !full(record))) return false
          ledger = new OffsetLedger(together(kept, ledger.standing()))
        }
        return true
      }),
      { numRuns: 300 },
    )
  t.notThrows(holds)
})

test('metadata of others is not read, and damaged metadata says less, never more', t => {
  t.is(readMetadata(7, ''), undefined)
  t.is(readMetadata(7, 'somebody else'), undefined)
  const damaged = readMetadata(10, 'gearpump1;z;2.3,!.1,4.4')
  t.deepEqual(damaged, { low: 10, runs: [[12, 15]], startedS: 35, topicId: undefined })
})

test('of too many runs the longest are kept', t => {
  const ledger = new OffsetLedger(START)
  for (let offset = 0; offset < 2000; offset++) ledger.begin(offset)
  for (let offset = 1; offset < 1000; offset += 2) ledger.finish(offset)
  for (let offset = 1500; offset < 2000; offset++) ledger.finish(offset)
  const text = writeMetadata(ledger, { startedS: 0, bytesMax: 100 })
  t.true(text.length <= 100)
  const { runs } = readMetadata(ledger.low, text)!
  t.true(runs.some(([start, end]) => start === 1500 && end === 2000))
  t.true(runs.length > 10)
})

test('two accounts know together what either knows', t => {
  const a = { low: 5, runs: [[8, 10]] as const }
  const b = {
    low: 3,
    runs: [
      [5, 8],
      [12, 14],
    ] as const,
  }
  t.deepEqual(together(a, b), { low: 10, runs: [[12, 14]] })
})
