// Notes of gateways: what is written is there for the next leader, what is in doubt is read back, and what a client sends is
// checked.
import test from 'ava'
import { EngineError } from '../../../src/base/errors.ts'
import { BlobClaims, useOfApplications } from '../../../src/cluster/blob-use.ts'
import { Notes } from '../../../src/cluster/notes.ts'
import type { Change, ClusterStore, Entry, Fence } from '../../../src/cluster/store/store.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

const fence: Fence = { revision: 1, holder: 'm1' }

/** Keeps what is put; loses the answer, or the commit too, if told so. */
class Store implements Pick<ClusterStore, 'list' | 'commit'> {
  readonly entries = new Map<string, Entry>()
  lose: 'answer' | 'commit' | undefined
  #revision = 0

  async list(prefix: string): Promise<readonly Entry[]> {
    return [...this.entries.values()].filter(({ key }) => key.startsWith(prefix))
  }

  async commit(_: unknown, changes: readonly Change[]): Promise<number> {
    const { lose } = this
    this.lose = undefined
    const revision = ++this.#revision
    for (const change of lose === 'commit' ? [] : changes) {
      if ('put' in change)
        this.entries.set(change.put, { key: change.put, value: change.value, revision })
      else this.entries.delete(change.delete)
    }
    if (lose !== undefined) throw new EngineError('STORE_UNAVAILABLE', 'no answer')
    return revision
  }
}

const notesOf = (store: Store) => new Notes(store as unknown as ClusterStore, fence)
const blob = { hash: 'ab'.repeat(32), sizeBytes: 7 }

test('what is written under a name is listed by prefix, the last write wins, and the next leader has it', async t => {
  const store = new Store()
  const notes = notesOf(store)
  const first = await notes.write('storm/b', 'one', [blob])
  const second = await notes.write('storm/b', 'two', [blob])
  t.true(second > first)
  await notes.write('storm/a', '', [])
  await notes.write('other', 'x', [])
  const expected = [
    { name: 'storm/a', text: '', blobs: [] },
    { name: 'storm/b', text: 'two', blobs: [blob], revision: second },
  ]
  t.like(await notes.list('storm/'), expected)
  t.like(await notesOf(store).list('storm/'), expected)
  await notes.remove('storm/b')
  await notes.remove('storm/b')
  t.is((await notesOf(store).list('')).length, 2)
})

test('the blobs of a note are kept as long as it is there', async t => {
  const store = new Store()
  const notes = notesOf(store)
  const kept = async () => {
    const claims = new BlobClaims(new ManualEnvironment())
    return (await useOfApplications(store, claims).inUse())(blob.hash)
  }
  t.false(await kept())
  await notes.write('storm/b', 'one', [blob])
  t.true(await kept())
  await notes.remove('storm/b')
  t.false(await kept())
})

for (const lose of ['answer', 'commit'] as const) {
  test(`a write whose ${lose} was lost is read back before anything is believed`, async t => {
    const store = new Store()
    const notes = notesOf(store)
    await notes.write('a', 'before', [])
    store.lose = lose
    await t.throwsAsync(notes.write('a', 'after', []), { code: 'STORE_UNAVAILABLE' })
    const [found] = await notes.list('a')
    t.is(found!.text, lose === 'answer' ? 'after' : 'before')
    // Heard again, it is one.
    await notes.write('a', 'after', [])
    t.is((await notes.list('a'))[0]!.text, 'after')
  })
}

test('what is no note is refused, with all that is wrong', async t => {
  const notes = notesOf(new Store())
  const wrong = (name: unknown, text: unknown, blobs: unknown) =>
    t.throws(() => notes.write(name as string, text as string, blobs as never), {
      code: 'BAD_INPUT',
    })
  t.regex(wrong('a b', 1, [{ hash: '../x' }])!.message, /name[\s\S]*text[\s\S]*blobs/)
  wrong('', '', [])
  wrong('a'.repeat(201), '', [])
  wrong('a', 'x'.repeat(400_001), [])
  wrong(
    'a',
    '',
    Array.from({ length: 101 }, () => blob),
  )
  t.deepEqual(await notes.list(''), [])
})
