// The journal's files on a disk that crashes, fills up and fails: what was acknowledged is there again, whole.
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { EngineError } from '../../../../src/base/errors.ts'
import { type LogLine, noLog } from '../../../../src/base/log.ts'
import { applyRecord, Journal, type JournalRecord } from '../../../../src/cluster/store/journal.ts'
import { MemoryDisk } from './_memory-disk.ts'
import '../../seed.ts'

type Commits = readonly (readonly (readonly [string, string?])[])[]

interface Step {
  readonly bytes: number
  readonly texts: string
}

const textOf = (entries: ReadonlyMap<string, unknown>) =>
  JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))

/** Writes batches of commits; tells after each one how long the journal is and what the state is. */
async function written(disk: MemoryDisk, batches: readonly Commits[], compactBytes?: number) {
  const { journal, state } = await Journal.open(disk, noLog, compactBytes)
  const steps: Step[] = [{ bytes: disk.files.get('journal')!.length, texts: textOf(state.entries) }]
  for (const batch of batches) {
    const records = batch.map((writes, i): JournalRecord => {
      return { revision: state.revision + 1 + i, writes }
    })
    await journal.append(records)
    if (disk.unsynced) throw new Error('acknowledged before it was synced')
    for (const record of records) applyRecord(state, record)
    await journal.compactIfLarge(state)
    steps.push({ bytes: disk.files.get('journal')!.length, texts: textOf(state.entries) })
  }
  return { journal, state, steps }
}

const write = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.string({ unit: 'binary', maxLength: 40 })),
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'd')),
) as fc.Arbitrary<readonly [string, string?]>
const batches = fc.array(
  fc.array(fc.array(write, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  {
    maxLength: 12,
  },
)

test('cut off at any byte, the journal holds what was acknowledged by then and at most nothing more', async t => {
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.option(fc.integer({ min: 100, max: 600 }), { nil: undefined }),
      fc.nat(),
      fc.uint8Array({ maxLength: 30 }),
      async (given, compactBytes, at, rubbish) => {
        const disk = new MemoryDisk()
        const { steps } = await written(disk, given, compactBytes)
        // What was synced stays; only the last batch may be torn, unless it went into a snapshot at once.
        const size = disk.files.get('journal')!.length
        const last = steps.at(-1)!
        const before = steps.at(-2) ?? last
        const first = Math.min(size, before.bytes)
        const cut = last.bytes < before.bytes ? size : first + (at % (size - first + 1))
        // Of a torn frame any part may have reached the disk, with anything in place of the rest.
        const after = disk.crashed(cut, cut === size ? Buffer.alloc(0) : Buffer.from(rubbish))
        const reopened = await Journal.open(after, noLog)
        const found = textOf(reopened.state.entries)
        const expected = cut === size ? last.texts : before.texts
        // Rubbish may happen to be the rest of the frame.
        if (found !== expected && found !== last.texts) throw new Error(`at ${cut}: ${found}`)
        // It goes on from there, and that is kept as well.
        const revision = reopened.state.revision + 1
        await reopened.journal.append([{ revision, writes: [['again', 'yes']] }])
        const third = await Journal.open(after, noLog)
        if (third.state.entries.get('again')?.revision !== revision) throw new Error('it goes on')
        if (third.state.entries.size !== reopened.state.entries.size + 1)
          throw new Error('the same')
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

test('cut at every single byte of a journal, each acknowledged commit before the cut is there', async t => {
  const disk = new MemoryDisk()
  const { steps } = await written(disk, [
    [[['a', '1']]],
    [[['b', '2']], [['a']]],
    [[['c', '\u0000é😀']]],
  ])
  const size = disk.files.get('journal')!.length
  for (let cut = steps[0]!.bytes; cut <= size; cut++) {
    const { state } = await Journal.open(disk.crashed(cut), noLog)
    t.is(textOf(state.entries), steps.filter(step => step.bytes <= cut).at(-1)!.texts, `${cut}`)
  }
})

test('an incomplete end is cut off with a warning, and kept aside', async t => {
  const disk = new MemoryDisk()
  const { steps } = await written(disk, [[[['a', '1']]], [[['b', '2']]]])
  const lines: LogLine[] = []
  const torn = disk.crashed(steps[2]!.bytes - 3)
  await Journal.open(torn, { write: line => lines.push(line) })
  t.is(lines.length, 1)
  t.is(lines[0]!.level, 'warn')
  t.regex(lines[0]!.text, /last \d+ bytes of \/disk\/journal, from byte \d+, are no whole record/)
  t.is(torn.files.get('journal')!.length, steps[1]!.bytes)
  t.is(torn.files.get('journal.cut')!.length, steps[2]!.bytes - 3 - steps[1]!.bytes)
})

async function refusesAsCorrupt(t: ExecutionContext, disk: MemoryDisk, offset?: number) {
  const before = new Map([...disk.files].map(([name, bytes]) => [name, bytes.toString('hex')]))
  const error = await t.throwsAsync<EngineError>(Journal.open(disk, noLog))
  t.is(error?.code, 'STORE_CORRUPT', error?.message)
  if (offset !== undefined) t.is(error?.details.offset, offset)
  const after = new Map([...disk.files].map(([name, bytes]) => [name, bytes.toString('hex')]))
  t.deepEqual(after, before, 'no file was touched')
}

test('a byte changed before the last batch is damage: named, nothing lost silently, nothing overwritten', async t => {
  const disk = new MemoryDisk()
  const { steps } = await written(disk, [[[['a', '1']]], [[['b', '2']]], [[['c', '3']]]])
  for (let at = 0; at < steps[2]!.bytes; at++) {
    const damaged = disk.crashed(steps[3]!.bytes)
    const journal = damaged.files.get('journal')!
    journal[at] = journal[at]! ^ 0x41
    const offset =
      at < 8 ? 0 : at < steps[0]!.bytes ? 8 : steps.filter(step => step.bytes <= at).at(-1)!.bytes
    await refusesAsCorrupt(t, damaged, offset)
  }
})

test('a snapshot that is damaged, missing, or left without its journal is damage', async t => {
  const disk = new MemoryDisk()
  await written(disk, [[[['a', 'x'.repeat(300)]]], [[['b', '2']]]], 200)
  t.true(disk.files.has('snapshot'))
  const size = disk.files.get('snapshot')!.length
  for (const at of [0, 9, 30, size - 1]) {
    const damaged = disk.crashed(disk.files.get('journal')!.length)
    damaged.files.get('snapshot')![at]! ^= 1
    await refusesAsCorrupt(t, damaged)
  }
  const short = disk.crashed(disk.files.get('journal')!.length)
  short.files.set('snapshot', short.files.get('snapshot')!.subarray(0, 40))
  await refusesAsCorrupt(t, short)
  const missing = disk.crashed(disk.files.get('journal')!.length)
  missing.files.delete('snapshot')
  await refusesAsCorrupt(t, missing)
  const alone = disk.crashed(0)
  alone.files.delete('journal')
  await refusesAsCorrupt(t, alone)
})

test('a crash between the snapshot and the new journal loses nothing', async t => {
  const disk = new MemoryDisk()
  const first = await written(disk, [[[['a', 'x'.repeat(300)]]]])
  const old = Buffer.from(disk.files.get('journal')!)
  const { journal, state } = await Journal.open(disk, noLog, 100)
  await journal.compactIfLarge(state)
  t.true(disk.files.get('journal')!.length < old.length)
  disk.files.set('journal', old)
  const reopened = await Journal.open(disk, noLog)
  t.is(textOf(reopened.state.entries), textOf(first.state.entries))
  t.is(reopened.state.revision, 1)
})

test('a full disk refuses the commit, keeps what was there, and goes on when there is room', async t => {
  const disk = new MemoryDisk()
  const { journal, state } = await written(disk, [[[['a', '1']]]])
  for (const roomBytes of [0, 1, 7, 20]) {
    disk.roomBytes = roomBytes
    const error = await t.throwsAsync<EngineError>(
      journal.append([{ revision: 2, writes: [['b', 'x'.repeat(100)]] }]),
    )
    t.is(error?.code, 'STORE_UNAVAILABLE')
    t.regex(error!.message, /^the disk of \/disk is full$/)
    t.is(error?.details.outcome, 'none')
    t.is(textOf((await Journal.open(disk, noLog)).state.entries), textOf(state.entries))
  }
  disk.roomBytes = Number.POSITIVE_INFINITY
  await journal.append([{ revision: 2, writes: [['b', '2']] }])
  t.is((await Journal.open(disk, noLog)).state.entries.get('b')?.value, '2')
})

test('a disk that takes nothing back either ends the journal: the outcome is unknown, nothing more is written', async t => {
  const disk = new MemoryDisk()
  const { journal } = await written(disk, [])
  disk.fails = { sync: 'EIO' }
  const error = await t.throwsAsync<EngineError>(journal.append([{ revision: 1, writes: [] }]))
  t.is(error?.details.outcome, 'unknown')
  t.regex(journal.broken!, /EIO/)
  disk.fails = {}
  const again = await t.throwsAsync<EngineError>(journal.append([{ revision: 1, writes: [] }]))
  t.is(again?.code, 'STORE_UNAVAILABLE')
})

test('a snapshot that cannot be written is a warning, and commits go on', async t => {
  const disk = new MemoryDisk()
  const { journal, state } = await written(disk, [])
  t.is(journal.broken, undefined)
  const lines: LogLine[] = []
  const small = await Journal.open(disk, { write: line => lines.push(line) }, 10)
  disk.fails = { replace: 'ENOSPC' }
  await small.journal.compactIfLarge(state)
  t.regex(lines[0]!.text, /^no snapshot made: the disk of \/disk is full/)
  await small.journal.append([{ revision: 1, writes: [['a', '1']] }])
  t.is((await Journal.open(disk, noLog)).state.entries.get('a')?.value, '1')
})
