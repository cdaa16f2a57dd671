// Actors within one process: turns, asks, failures and what the policy makes of them. All on manual time.
import test from 'ava'
import type { ActorContext, ActorRef } from '../../../src/actor/actor.ts'
import { MAILBOX_CALLS_MAX } from '../../../src/actor/actor-cell.ts'
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { OPEN_ASKS_MAX } from '../../../src/actor/asks.ts'
import { EngineError, UserError } from '../../../src/base/errors.ts'
import type { LogLine } from '../../../src/base/log.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

interface Counter {
  add(amount: number): number
  slow(ms: number): Promise<number>
  nothing(): void
  fail(error: Error): void
}

class CounterActor implements Counter {
  readonly #context: ActorContext
  sum = 0

  constructor(context: ActorContext) {
    this.#context = context
  }

  add(amount: number): number {
    this.sum += amount
    return this.sum
  }

  async slow(ms: number): Promise<number> {
    await new Promise<void>(resolve => this.#context.after(ms, resolve))
    return this.sum
  }

  nothing(): void {
    this.sum = 0
  }

  fail(error: Error): void {
    throw error
  }
}

function world(): { environment: ManualEnvironment; system: ActorSystem; lines: LogLine[] } {
  const environment = new ManualEnvironment()
  const lines: LogLine[] = []
  const log = { write: (line: LogLine) => void lines.push(line) }
  return { environment, lines, system: new ActorSystem({ environment, log, name: 'here' }) }
}

const counter = (system: ActorSystem, name = 'counter'): ActorRef<Counter> =>
  system.spawn<Counter>(name, context => new CounterActor(context))

test('an ask gives the answer, of a plain and of an async method', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  t.is(await environment.awaiting(ref.ask('add', 2)), 2)
  ref.tell('add', 3)
  t.is(await environment.awaiting(ref.ask('slow', 100)), 5)
  t.is(await environment.awaiting(ref.ask('nothing')), undefined)
})

test('calls of one sender start in order, and never inside the call that sends them', async t => {
  const { environment, system } = world()
  const seen: number[] = []
  const ref = system.spawn('list', () => ({ add: (n: number) => void seen.push(n) }))
  for (let i = 0; i < 300; i++) ref.tell('add', i)
  t.deepEqual(seen, [])
  await environment.advance(1)
  t.deepEqual(
    seen,
    Array.from({ length: 300 }, (_, i) => i),
  )
})

test('an actor that waits does not stand still: two actors may ask each other', async t => {
  const { environment, system } = world()
  interface Half {
    ask(depth: number): Promise<number>
  }
  const node = system.node
  const link = (other: string) => (context: ActorContext) => ({
    ask: async (depth: number): Promise<number> =>
      depth === 0 ? 0 : 1 + (await context.ref<Half>({ node, name: other }).ask('ask', depth - 1)),
  })
  const left = system.spawn<Half>('left', link('right'))
  system.spawn<Half>('right', link('left'))
  t.is(await environment.awaiting(left.ask('ask', 5)), 5)
})

test('an ask without an answer ends with ASK_TIMED_OUT, which names actor, method and time', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  const began = environment.now()
  const error = await t.throwsAsync(environment.awaiting(ref.within(200).ask('slow', 1000)), {
    code: 'ASK_TIMED_OUT',
    message: 'counter gave no answer to slow within 200 ms',
  })
  t.true(error instanceof EngineError)
  t.true(environment.now() - began < 250)
})

test('an actor that is not there, and a later one of the same name, are ACTOR_NOT_FOUND', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  const nobody = system.ref<Counter>({ node: system.node, name: 'countr' })
  await t.throwsAsync(environment.awaiting(nobody.ask('add', 1)), {
    code: 'ACTOR_NOT_FOUND',
    message: /no actor countr on here: did you mean counter\?/,
  })
  await environment.awaiting(system.stop(ref))
  counter(system)
  await t.throwsAsync(environment.awaiting(ref.ask('add', 1)), {
    code: 'ACTOR_NOT_FOUND',
    message: /another one since/,
  })
  const byName = system.ref<Counter>({ node: system.node, name: 'counter' })
  t.is(await environment.awaiting(byName.ask('add', 1)), 1)
})

test('only methods of the actor can be called: UNKNOWN_METHOD with the nearest name', async t => {
  const { environment, system } = world()
  const ref = counter(system) as unknown as ActorRef<Record<string, (n: number) => number>>
  await t.throwsAsync(environment.awaiting(ref.ask('ad', 1)), {
    code: 'UNKNOWN_METHOD',
    message: 'counter has no method ad',
  })
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'sum']) {
    await t.throwsAsync(environment.awaiting(ref.ask(name, 1)), { code: 'UNKNOWN_METHOD' })
  }
})

test('an operating error goes to the asker only, as it was thrown', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  ref.tell('add', 7)
  const thrown = new UserError('BAD_INPUT', 'the file', [{ place: 'a.ts:1:1', message: 'wrong' }])
  t.is(await t.throwsAsync(environment.awaiting(ref.ask('fail', thrown))), thrown)
  t.is(await environment.awaiting(ref.ask('add', 0)), 7)
})

test('any other error is ACTOR_FAILED for the asker, and by default a new instance takes the mail', async t => {
  const { environment, system, lines } = world()
  const ref = counter(system)
  ref.tell('add', 7)
  const cause = new TypeError('no such thing')
  const failed = ref.ask('fail', cause)
  const after = ref.ask('add', 1)
  const error = await t.throwsAsync(environment.awaiting(failed), {
    code: 'ACTOR_FAILED',
    message: 'counter failed in fail: no such thing',
  })
  t.is(error?.cause, cause)
  t.is(await environment.awaiting(after), 1)
  t.true(lines.some(({ level, text }) => level === 'error' && text.includes('no such thing')))
})

test('a BUG, an error in a tell, in a timer and in begun work are failures of the actor', async t => {
  const { environment, system } = world()
  let made = 0
  const ref = system.spawn('fragile', context => {
    made++
    return {
      bug: () => {
        throw new EngineError('BUG', 'broken')
      },
      operating: () => {
        throw new EngineError('BAD_INPUT', 'wrong')
      },
      timer: () => {
        context.after(10, () => {
          throw new Error('in a timer')
        })
      },
      work: () => context.run(async () => Promise.reject(new Error('in work'))),
    }
  })
  await t.throwsAsync(environment.awaiting(ref.ask('bug')), { code: 'ACTOR_FAILED' })
  for (const [i, method] of (['operating', 'timer', 'work'] as const).entries()) {
    await environment.advance(60_000)
    t.is(made, 2 + i)
    ref.tell(method)
  }
  await environment.advance(60_000)
  t.is(made, 5)
})

test('resume keeps the instance', async t => {
  const { environment, system } = world()
  const policy = { onFailure: 'resume' } as const
  const ref = system.spawn<Counter>('counter', context => new CounterActor(context), { policy })
  ref.tell('add', 7)
  ref.tell('fail', new Error('x'))
  t.is(await environment.awaiting(ref.ask('add', 1)), 8)
})

test('a budget that is used up stops the actor, and watchers hear of the last reason once', async t => {
  const { environment, system } = world()
  let made = 0
  const ref = system.spawn<Counter>(
    'counter',
    context => {
      made++
      return new CounterActor(context)
    },
    { policy: { onFailure: 'restart', budget: { restarts: 2, windowMs: 10_000 } } },
  )
  const reasons: string[] = []
  system.watch(ref.address, reason => reasons.push(reason))
  for (let i = 0; i < 3; i++) {
    t.deepEqual(reasons, [])
    ref.tell('fail', new Error(`failure ${i}`))
    await environment.advance(1000)
  }
  t.is(made, 3)
  t.deepEqual(reasons, ['it failed more than 2 times in 10000 ms: failure 2'])
})

test('a budget counts per window: slow failures go on for ever', async t => {
  const { environment, system } = world()
  const ref = system.spawn<Counter>('counter', context => new CounterActor(context), {
    policy: { onFailure: 'restart', budget: { restarts: 1, windowMs: 1000 } },
  })
  for (let i = 0; i < 5; i++) {
    ref.tell('fail', new Error('again'))
    await environment.advance(2000)
  }
  t.is(await environment.awaiting(ref.ask('add', 1)), 1)
})

test('escalate ends the child and is a failure of its parent', async t => {
  const { environment, system } = world()
  let parents = 0
  const parent = system.spawn('parent', context => {
    parents++
    const child = context.spawn<Counter>('child', own => new CounterActor(own), {
      policy: { onFailure: 'escalate' },
    })
    return { fail: () => child.tell('fail', new Error('deep')), ask: () => child.ask('add', 1) }
  })
  parent.tell('fail')
  await environment.advance(100)
  t.is(parents, 2)
  t.is(await environment.awaiting(parent.ask('ask')), 1)
})

test('a stop ends children first, then what onStop was given, last first; a restart does the same', async t => {
  const { environment, system } = world()
  const seen: string[] = []
  const make = (context: ActorContext) => {
    const { name } = context.self
    context.onStop(() => void seen.push(`${name} first`))
    context.onStop(async () => {
      await new Promise<void>(resolve => environment.after(50, resolve))
      seen.push(`${name} second`)
    })
    if (!name.includes('/')) context.spawn('child', make)
    return {
      fail: () => {
        throw new Error('x')
      },
    }
  }
  const ref = system.spawn('parent', make)
  const order = ['parent/child second', 'parent/child first', 'parent second', 'parent first']
  ref.tell('fail')
  await environment.advance(1000)
  t.deepEqual(seen, order)
  await environment.awaiting(system.stop(ref))
  t.deepEqual(seen, [...order, ...order])
})

test('onStop work that hangs does not hold up a stop for ever', async t => {
  const { environment, system, lines } = world()
  const ref = system.spawn('stuck', context => {
    context.onStop(() => new Promise(() => undefined))
    return {}
  })
  await environment.awaiting(system.stop(ref), 6000)
  t.true(lines.some(({ text }) => text.includes('longer than 5000 ms')))
})

test('a make that fails is a failure; mail waits for the instance that comes up', async t => {
  const { environment, system } = world()
  let tries = 0
  const ref = system.spawn<Counter>('counter', async context => {
    if (++tries < 3) throw new Error('not yet')
    await new Promise<void>(resolve => environment.after(30, resolve))
    return new CounterActor(context)
  })
  t.is(await environment.awaiting(ref.ask('add', 4)), 4)
  t.is(tries, 3)
})

test('timers and watches end with the instance', async t => {
  const { environment, system } = world()
  const other = counter(system, 'other')
  let ticks = 0
  const ref = system.spawn('ticker', context => {
    context.every(10, () => void ticks++)
    context.watch(other.address, () => {
      ticks += 1000
    })
    return {}
  })
  await environment.advance(55)
  t.is(ticks, 5)
  await environment.awaiting(system.stop(ref))
  await environment.awaiting(system.stop(other))
  await environment.advance(1000)
  t.true(ticks < 8)
  t.is(environment.timers, 0)
})

test('a watch on an actor that is not there fires soon, and a cancelled one never', async t => {
  const { environment, system } = world()
  const reasons: string[] = []
  const dead = { node: system.node, name: 'nobody' }
  system.watch(dead, reason => reasons.push(reason))
  system.watch(dead, () => t.fail()).cancel()
  const ref = counter(system)
  system.watch(ref.address, () => t.fail()).cancel()
  t.deepEqual(reasons, [])
  await environment.advance(1)
  t.is(reasons.length, 1)
  await environment.awaiting(system.stop(ref))
  t.is(reasons.length, 1)
})

test('an actor learns who calls, until it first waits', async t => {
  const { environment, system } = world()
  const ref = system.spawn('curious', context => ({
    who: () => context.sender,
    late: async () => {
      await Promise.resolve()
      return context.sender
    },
  }))
  t.deepEqual(await environment.awaiting(ref.ask('who')), {
    principal: 'role',
    node: system.node,
    nodeName: 'here',
  })
  await t.throwsAsync(environment.awaiting(ref.ask('late')), { code: 'ACTOR_FAILED' })
})

test('an actor stops itself: what is queued is refused, the answer of the last turn arrives', async t => {
  const { environment, system } = world()
  const ref = system.spawn('brief', context => ({
    end: () => {
      context.stop('enough')
      return 'bye'
    },
  }))
  const reasons: string[] = []
  system.watch(ref.address, reason => reasons.push(reason))
  const [first, second] = [ref.ask('end'), ref.ask('end')]
  const refused = t.throwsAsync(second, { code: 'ACTOR_NOT_FOUND' })
  t.is(await environment.awaiting(first), 'bye')
  await environment.awaiting(refused)
  t.deepEqual(reasons, ['enough'])
})

test('a name is taken while its actor lives or stops', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  t.throws(() => counter(system), { code: 'ACTOR_EXISTS' })
  await environment.awaiting(system.stop(ref))
  t.notThrows(() => counter(system))
  t.throws(() => counter(system, 'a/b'), { code: 'BAD_INPUT' })
})

test('mailboxes and open asks are bounded', async t => {
  const { environment, system } = world()
  const ref = system.spawn('stuck', () => new Promise<{ never(): void }>(() => undefined))
  for (let i = 0; i < MAILBOX_CALLS_MAX; i++) ref.tell('never')
  await t.throwsAsync(ref.ask('never'), { code: 'OVERLOADED' })
  const other = system.spawn('other', () => new Promise<{ never(): void }>(() => undefined))
  const asks = Array.from({ length: OPEN_ASKS_MAX }, () => other.within(100).ask('never'))
  await t.throwsAsync(other.ask('never'), { code: 'OVERLOADED' })
  const results = Promise.allSettled(asks)
  await environment.awaiting(results)
  t.true((await results).every(({ status }) => status === 'rejected'))
  t.is(environment.timers, 0)
})

test('closing stops the youngest first, and asks afterwards fail', async t => {
  const { environment, system } = world()
  const seen: string[] = []
  for (const name of ['a', 'b']) {
    system.spawn(name, context => {
      context.onStop(() => void seen.push(name))
      return {}
    })
  }
  const ref = counter(system)
  await environment.awaiting(system.close())
  await system.close()
  t.deepEqual(seen, ['b', 'a'])
  await t.throwsAsync(environment.awaiting(ref.ask('add', 1)), {
    code: 'NODE_UNREACHABLE',
  })
  t.throws(() => counter(system), { code: 'ACTOR_NOT_FOUND' })
  t.is(environment.timers, 0)
})

test('a node without a transport reaches nobody else, and says so', async t => {
  const { environment, system } = world()
  t.deepEqual(await system.listen(), system.node)
  const ref = system.ref<Counter>({ node: { kind: 'tcp', host: 'far', port: 1 }, name: 'counter' })
  ref.tell('add', 1)
  await t.throwsAsync(environment.awaiting(ref.ask('add', 1)), {
    code: 'NODE_UNREACHABLE',
    message: 'cannot reach tcp:far:1: this node has no transport',
  })
  const reasons: string[] = []
  system.watch(ref.address, reason => reasons.push(reason))
  await environment.advance(5100)
  t.is(reasons.length, 1)
  await t.throwsAsync(system.stop(ref), { code: 'BUG' })
  t.is(environment.timers, 0)
})

test('a watcher that throws harms nobody else', async t => {
  const { environment, system, lines } = world()
  const ref = counter(system)
  const reasons: string[] = []
  system.watch(ref.address, () => {
    throw new Error('clumsy')
  })
  system.watch(ref.address, reason => reasons.push(reason))
  await environment.awaiting(system.stop(ref, 'enough'))
  t.deepEqual(reasons, ['enough'])
  t.true(lines.some(({ text }) => text.includes('clumsy')))
})

test('an actor that watches fails when its watcher throws', async t => {
  const { environment, system } = world()
  const ref = counter(system)
  let made = 0
  system.spawn('watcher', context => {
    made++
    context.watch(ref.address, () => {
      if (made === 1) throw new Error('clumsy')
    })
    context.watch(ref.address, () => t.fail()).cancel()
    return {}
  })
  await environment.awaiting(system.stop(ref))
  await environment.advance(100)
  t.is(made, 2)
})

test('an instance that has ended begins nothing, and closes what it opens late', async t => {
  const { environment, system, lines } = world()
  const ref = counter(system)
  let context: ActorContext | undefined
  let seen = 0
  const brief = system.spawn('brief', own => {
    context = own
    own.onStop(() => {
      throw new Error('cannot end')
    })
    return {}
  })
  await environment.awaiting(system.stop(brief))
  context!.after(1, () => void seen++)
  context!.every(1, () => void seen++)
  context!.watch(ref.address, () => void seen++)
  context!.run(() => void seen++)
  context!.stop()
  t.throws(() => context!.spawn('child', () => ({})), { code: 'BUG' })
  await environment.awaiting(system.stop(ref))
  await environment.advance(100)
  t.is(seen, 0)
  context!.onStop(() => void seen++)
  t.is(seen, 1)
  context!.log('info', 'done')
  t.true(lines.some(({ text }) => text.includes('cannot end')))
  t.like(lines.at(-1), { level: 'info', where: 'here brief', text: 'done' })
})

test('periods that find the last work unfinished are left out', async t => {
  const { environment, system } = world()
  let began = 0
  system.spawn('slow', context => {
    context.every(10, async () => {
      began++
      await new Promise<void>(resolve => context.after(35, resolve))
    })
    return {}
  })
  await environment.advance(105)
  t.is(began, 3)
})

test('failures of one instance are one restart, those that come late as well', async t => {
  const { environment, system } = world()
  let made = 0
  const ref = system.spawn('twice', () => {
    made++
    return {
      // On the test's own time: it comes when the instance may be gone.
      fail: (ms: number) =>
        new Promise<void>((_, reject) => environment.after(ms, () => reject(new Error('x')))),
    }
  })
  ref.tell('fail', 10)
  ref.tell('fail', 10)
  ref.tell('fail', 60)
  await environment.advance(1000)
  t.is(made, 2)
})

test('an actor that fails while it is made under resume stops: there is nothing to resume', async t => {
  const { environment, system } = world()
  const ref = system.spawn<Counter>(
    'counter',
    () => {
      throw new Error('no')
    },
    { policy: { onFailure: 'resume' } },
  )
  const reasons: string[] = []
  system.watch(ref.address, reason => reasons.push(reason))
  await environment.advance(10)
  t.is(reasons.length, 1)
  t.regex(reasons[0]!, /could not be made: no|has stopped/)
})
