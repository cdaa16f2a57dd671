// Seeded runs over a network that delays, loses, doubles and cuts, with nodes that die and come back: every ask ends
// exactly once, watches tell at most once, and always when what they watch is really gone.
import test from 'ava'
import type { ActorAddress, Watch } from '../../../src/actor/actor.ts'
import type { ActorSystem } from '../../../src/actor/actor-system.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import type { CutMode } from '../../../src/transport/faulty-transport.ts'
import { Nodes } from './nodes.ts'

interface Server {
  double(n: number): number
  later(n: number): Promise<number>
  fail(): void
}

const NAMES = ['a', 'b', 'c']
const STEPS = 150
const RUNS = 40
const CODES = new Set(['ASK_TIMED_OUT', 'NODE_UNREACHABLE', 'ACTOR_NOT_FOUND', 'ACTOR_FAILED'])

interface Asked {
  by: ActorSystem
  ends: number
}

interface Watched {
  by: ActorSystem
  address: ActorAddress
  watch: Watch
  told: number
  cancelled: boolean
}

class Run {
  readonly nodes: Nodes
  readonly random: () => number
  // What lives right now: nodes by name, and the address of each one's server.
  readonly systems = new Map<string, ActorSystem>()
  readonly servers = new Map<string, ActorAddress>()
  readonly asks: Asked[] = []
  readonly watches: Watched[] = []
  readonly problems: string[] = []
  answers = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.nodes = new Nodes({
      seed,
      faults: {
        delayMsMax: this.pick([0, 5, 400]),
        loss: this.pick([0, 0, 0.01, 0.1]),
        duplication: this.pick([0, 0.05]),
        reordering: this.pick([0, 0, 0.05]),
      },
    })
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!
  }

  async start(name: string): Promise<void> {
    if (this.systems.has(name)) return
    this.systems.set(name, await this.nodes.start(name))
    this.serve(name)
  }

  serve(name: string): void {
    const onFailure = this.pick(['restart', 'resume'] as const)
    const make = (context: { after(ms: number, work: () => void): unknown }): Server => ({
      double: n => n * 2,
      later: n => new Promise(resolve => context.after(this.random() * 4000, () => resolve(n * 2))),
      fail: () => {
        throw new Error('it fails')
      },
    })
    const policy = { onFailure, budget: { restarts: 1000, windowMs: 1000 } }
    const { address } = this.systems.get(name)!.spawn<Server>('server', make, { policy })
    this.servers.set(name, address)
  }

  kill(name: string): void {
    this.nodes.kill(name)
    this.systems.delete(name)
    this.servers.delete(name)
  }

  ask(by: ActorSystem, name: string): void {
    const ref = by.ref<Server>({ node: { kind: 'memory', name }, name: 'server' })
    const method = this.pick(['double', 'double', 'later', 'later', 'fail'] as const)
    const n = this.asks.length
    const asked: Asked = { by, ends: 0 }
    this.asks.push(asked)
    const answer: Promise<unknown> = method === 'fail' ? ref.ask('fail') : ref.ask(method, n)
    answer.then(
      value => {
        asked.ends++
        this.answers++
        if (value !== n * 2) this.problems.push(`ask ${n} got ${String(value)}`)
      },
      error => {
        asked.ends++
        const { code } = error as { code: string }
        if (!CODES.has(code)) this.problems.push(`ask ${n} ended with ${String(error)}`)
      },
    )
  }

  watch(by: ActorSystem, address: ActorAddress): void {
    const watched: Watched = { by, address, watch: NONE, told: 0, cancelled: false }
    watched.watch = by.watch(address, () => {
      watched.told++
      if (watched.cancelled) this.problems.push(`told of ${address.incarnation} after a cancel`)
    })
    this.watches.push(watched)
  }

  async step(calm: boolean): Promise<void> {
    const { network } = this.nodes
    const name = this.pick(NAMES)
    const other = this.pick(NAMES)
    const by = this.systems.get(name)
    const target = this.servers.get(other)
    const kind = this.random() * (calm ? 0.8 : 1)
    if (kind < 0.6) {
      if (by !== undefined) this.ask(by, other)
    } else if (kind < 0.75) {
      if (by !== undefined && target !== undefined) this.watch(by, target)
    } else if (kind < 0.8) {
      const watched = this.watches[Math.floor(this.random() * this.watches.length)]
      if (watched !== undefined) {
        watched.cancelled = true
        watched.watch.cancel()
      }
    } else if (kind < 0.84) this.kill(name)
    else if (kind < 0.9) await this.start(name)
    else if (kind < 0.92) network.sever(name, other)
    else if (kind < 0.94) {
      if (name !== other) network.cut(name, other, this.pick<CutMode>(['hold', 'lose']))
    } else if (kind < 0.97) network.heal(name, other)
    else if (by !== undefined) {
      await this.nodes.environment.awaiting(by.stop({ address: this.servers.get(name)! }))
      this.serve(name)
    }
    await this.nodes.environment.advance(this.pick([0, 1, 50, 700]))
  }

  async calmDown(): Promise<void> {
    const { network, environment } = this.nodes
    Object.assign(network.faults, { loss: 0, duplication: 0, reordering: 0, delayMsMax: 5 })
    for (const one of NAMES) for (const other of NAMES) network.heal(one, other)
    await environment.advance(30_000)
  }

  check(calm: boolean): string[] {
    const alive = new Set(this.systems.values())
    for (const [n, { by, ends }] of this.asks.entries()) {
      if (ends > 1 || (ends === 0 && alive.has(by))) this.problems.push(`ask ${n}: ${ends} ends`)
    }
    const living = new Set([...this.servers.values()].map(({ incarnation }) => incarnation))
    for (const { by, address, told, cancelled } of this.watches) {
      const gone = !living.has(address.incarnation)
      const text = `watch of ${by.name} on ${address.name} ${address.incarnation}: told ${told}`
      if (told > 1 || (calm && told > 0)) this.problems.push(`${text} times`)
      if (told === 0 && gone && !cancelled && alive.has(by)) this.problems.push(`${text}, gone`)
    }
    return this.problems
  }
}

const NONE: Watch = { cancel: () => undefined }

async function run(seed: number, calm: boolean): Promise<Run> {
  const made = new Run(seed)
  if (calm) Object.assign(made.nodes.network.faults, { loss: 0, reordering: 0 })
  for (const name of NAMES) await made.start(name)
  for (let i = 0; i < STEPS; i++) await made.step(calm)
  await made.calmDown()
  return made
}

test('whatever the network does, every ask ends once, and every watch of what is gone tells once', async t => {
  let asks = 0
  let answers = 0
  let told = 0
  for (let seed = 1; seed <= RUNS; seed++) {
    const made = await run(seed, false)
    t.deepEqual(made.check(false), [], `seed ${seed}`)
    asks += made.asks.length
    answers += made.answers
    told += made.watches.filter(watch => watch.told > 0).length
  }
  t.log(`${asks} asks, ${answers} answered; ${told} watches told`)
  t.true(answers > asks / 4)
  t.true(told > RUNS)
})

test('on a network that loses nothing no watch on what lives ever tells', async t => {
  for (let seed = 1; seed <= RUNS / 4; seed++) {
    const made = await run(1000 + seed, true)
    t.deepEqual(made.check(true), [], `seed ${1000 + seed}`)
  }
})

test('a seed gives one run', async t => {
  const trace = async () =>
    (await run(7, false)).nodes.lines.map(
      ({ text, timeMs, where }) => `${timeMs} ${where} ${text.split('\n')[0]}`,
    )
  const first = await trace()
  t.true(first.length > 10)
  t.deepEqual(await trace(), first)
})
