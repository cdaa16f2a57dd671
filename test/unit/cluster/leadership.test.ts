// What a leader does with a store that does not answer, and with room that it has promised.
import test from 'ava'
import { grantRoom } from '../../../src/cluster/room.ts'
import { builtIn } from '../../../src/cluster/strategies.ts'
import { WorkerTable } from '../../../src/cluster/worker-table.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'
import { leading, WORDS } from './_leading.ts'

test('a submission that was stored without an answer is run, though nobody asks again', async t => {
  const { environment, gear, lines, faults } = await leading({}, 30_000)
  await environment.awaiting(gear.ask('submit', { ...WORDS, name: 'first', requestId: 'zero' }))
  faults.cut = 'answers'
  const asked = gear.ask('submit', WORDS)
  await t.throwsAsync(environment.awaiting(asked), { code: 'ASK_TIMED_OUT' })
  await environment.advance(2000)
  faults.cut = 'none'
  const waits = () => lines.filter(({ text }) => text.startsWith('waits for a worker')).length
  t.is(waits(), 1)
  await environment.advance(5000)
  t.is(waits(), 2)
  const apps = await environment.awaiting(gear.ask('list'))
  t.deepEqual(
    apps.map(({ name, status }) => [name, status]),
    [
      ['first', 'starting'],
      ['words', 'starting'],
    ],
  )
})

function oneSlot() {
  const environment = new ManualEnvironment()
  const workers = new WorkerTable()
  const address = {
    node: { kind: 'memory' as const, name: 'w1' },
    name: 'worker',
    incarnation: 'i',
  }
  const offer = { id: 'w1', host: 'w1', pid: 1, slots: 1, cpu: 4, memoryMb: 1024, labels: {} }
  workers.register({ ...offer, address }, [])
  const grant = (app: number) => {
    const each = { cpu: 1, memoryMb: 1 }
    const request = { app, count: 1, each, strategy: 'spread', near: [], avoid: [] }
    return grantRoom(workers, request, { strategies: builtIn, environment })
  }
  return { environment, workers, grant }
}

test('room is kept for as long as a launch may take, and is free when it is given back or nobody is left to take it', async t => {
  const { environment, workers, grant } = oneSlot()
  const taken = { code: 'NO_RESOURCES' }
  grant(1)
  await environment.advance(120_000)
  t.throws(() => grant(2), taken)
  workers.releaseOne('w1', 1)
  grant(2)
  t.throws(() => grant(3), taken)
  workers.releaseOne('w1', 1)
  t.throws(() => grant(3), taken)
  workers.releaseAll(2)
  grant(3)
  // Whoever is cut off from the leader cannot give it back.
  await environment.advance(130_000)
  t.is(grant(4).length, 1)
})
