// A restart whose answer was lost is asked for again: it is one restart all the same.
import test from 'ava'
import { leading, WORDS } from './_leading.ts'

test('the same request to restart is one restart, by id and by name', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  const second = await environment.awaiting(gear.ask('restart', first, 'again'))
  t.not(second, first)
  t.is(await environment.awaiting(gear.ask('restart', first, 'again')), second)
  t.is(await environment.awaiting(gear.ask('restart', 'words', 'again')), second)
  const apps = await environment.awaiting(gear.ask('list'))
  t.deepEqual(
    apps.map(({ id, status }) => [id, status]),
    [
      [first, 'stopped'],
      [second, 'starting'],
    ],
  )
})

test('two that come at the same time become one application', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  const both = Promise.all([gear.ask('restart', first, 'r'), gear.ask('restart', first, 'r')])
  const [one, other] = await environment.awaiting(both)
  t.is(one, other)
  t.is((await environment.awaiting(gear.ask('list'))).length, 2)
})

test('one that had only killed it goes on', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  await environment.awaiting(gear.ask('kill', first))
  const second = await environment.awaiting(gear.ask('restart', first, 'again'))
  t.is((await environment.awaiting(gear.ask('find', second))).status, 'starting')
})

test('an application whose bundle is not to be had is not ended by a restart', async t => {
  let kept = true
  const { environment, gear } = await leading({
    fetch: async () => {
      if (!kept) throw new Error('no bundle')
    },
  })
  const bundle = { hash: 'a'.repeat(64), sizeBytes: 1 }
  const first = await environment.awaiting(gear.ask('submit', { ...WORDS, bundle }))
  kept = false
  await t.throwsAsync(environment.awaiting(gear.ask('restart', first, 'again')), {
    message: /no bundle/,
  })
  t.is((await environment.awaiting(gear.ask('find', first))).status, 'starting')
})
