// Finding the leader and staying with it.
import test from 'ava'
import { ManualEnvironment } from 'gearpump/testing'
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { EngineError } from '../../../src/base/errors.ts'
import { noLog } from '../../../src/base/log.ts'
import { MasterLink } from '../../../src/cluster/master-link.ts'
import { type LeaderCard, MASTER, type MasterDoor } from '../../../src/cluster/messages.ts'

test('who follows a leader meets each term, and the same leader again now and then', async t => {
  const environment = new ManualEnvironment()
  const system = new ActorSystem({ environment, log: noLog, name: 'all' })
  let term = 1
  const leader = async (): Promise<LeaderCard> => ({ name: 'm', address: system.node, term })
  system.spawn<Pick<MasterDoor, 'leader'>>(MASTER, () => ({ leader }))
  const link = new MasterLink<MasterDoor>({
    system,
    environment,
    masters: [system.node],
    door: MASTER,
  })
  const metMs: number[] = []
  const followed = link.follow(5000, async () => void metMs.push(environment.now()))
  await environment.advance(4000)
  t.is(metMs.length, 1)
  term = 2
  await environment.advance(1000)
  t.is(metMs.length, 2)
  await environment.advance(11_500)
  t.is(metMs.length, 4)
  t.true(metMs[3]! - metMs[2]! >= 5000)
  link.close()
  await followed
  await environment.awaiting(system.close())
})

test('a master that does not answer keeps nobody from the leader', async t => {
  const environment = new ManualEnvironment()
  const leading: LeaderCard = { name: 'm2', address: { kind: 'memory', name: 'm2' }, term: 1 }
  const never = new Promise<never>(() => undefined)
  const system = {
    ref: ({ node }: { node: { name: string } }) => ({
      within: () => ({ ask: () => (node.name === 'm1' ? never : Promise.resolve(leading)) }),
    }),
  } as unknown as ActorSystem
  const masters = ['m1', 'm2'].map(name => ({ kind: 'memory', name }) as const)
  const link = new MasterLink<MasterDoor>({ system, environment, masters, door: MASTER })
  t.truthy(await environment.awaiting(link.find(), 100))
})

test('a call at a leader that stands still is made again as soon as another one leads', async t => {
  const environment = new ManualEnvironment()
  const never = new Promise<never>(() => undefined)
  const card = (name: string, term: number): LeaderCard => ({
    ...{ name, term },
    address: { kind: 'memory', name },
  })
  let leader = card('m1', 1)
  const asked: string[] = []
  const system = {
    ref: ({ node: { name } }: { node: { name: string } }) => ({
      within: () => ({
        ask: () => (name === 'm1' && leader.name !== 'm1' ? never : Promise.resolve(leader)),
      }),
      ask: (method: string) => {
        asked.push(`${method} ${name}`)
        return name === 'm1' ? never : Promise.resolve([])
      },
    }),
  } as unknown as ActorSystem
  const masters = ['m1', 'm2'].map(name => ({ kind: 'memory', name }) as const)
  const link = new MasterLink<MasterDoor>({ system, environment, masters, door: MASTER })
  const granted = link.call(Number.POSITIVE_INFINITY, master => master.ask('grant', 1, 1, 1, []))
  await environment.advance(3000)
  leader = card('m2', 2)
  const beganMs = environment.now()
  await environment.awaiting(granted)
  t.deepEqual(asked, ['grant m1', 'grant m2'])
  t.true(environment.now() - beganMs <= 1500, `${environment.now() - beganMs} ms`)
})

test('a call that waits for another try ends when the link is closed', async t => {
  const environment = new ManualEnvironment()
  const nobody = new EngineError('NOT_LEADER', 'nobody leads')
  const system = {
    ref: () => ({ within: () => ({ ask: () => Promise.reject(nobody) }) }),
  } as unknown as ActorSystem
  const masters = [{ kind: 'memory', name: 'm1' } as const]
  const link = new MasterLink<MasterDoor>({ system, environment, masters, door: MASTER })
  const called = t.throwsAsync(link.call(60_000, () => t.fail() as never))
  await environment.advance(1000)
  link.close()
  t.truthy(await called)
})
