// Nodes over real sockets and real processes: what manual time cannot show. A stopped process is found by its silence;
// thousands of asks per second cost little.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { ActorAddress } from '../../../src/actor/actor.ts'
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { realEnvironment } from '../../../src/base/environment.ts'
import { noLog } from '../../../src/base/log.ts'
import { SocketTransport } from '../../../src/transport/socket-transport.ts'

interface Adder {
  add(a: number, b: number): number
  never(): Promise<void>
}

const PING_MS = 200
const UNREACHABLE_MS = 1000

function node(name: string): ActorSystem {
  return new ActorSystem({
    environment: realEnvironment,
    log: noLog,
    name,
    transport: new SocketTransport({ kind: 'tcp' }),
    pingMs: PING_MS,
    unreachableMs: UNREACHABLE_MS,
  })
}

interface Child {
  process: ChildProcess
  address: ActorAddress
}

async function childNode(): Promise<Child> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--import=./bin/typescript.mjs',
      fileURLToPath(new URL('./child-node.ts', import.meta.url)),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  for await (const line of createInterface({ input: child.stdout! })) {
    return { process: child, address: JSON.parse(line) as ActorAddress }
  }
  throw new Error('the child node ended before it listened')
}

test.serial('asks cross processes over TCP, at little cost', async t => {
  const far = node('far')
  await far.listen()
  const near = node('near')
  const { address } = far.spawn<Adder>('adder', () => ({
    add: (a, b) => a + b,
    never: () => new Promise(() => undefined),
  }))
  const ref = near.ref<Adder>(address)
  t.is(await ref.ask('add', 1, 2), 3)
  const count = 20_000
  const began = performance.now()
  const cpu = process.cpuUsage()
  for (let i = 0; i < count; i += 100) {
    const batch = Array.from({ length: 100 }, (_, j) => ref.ask('add', i, j))
    t.is((await Promise.all(batch))[99], i + 99)
  }
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - began) / 1000
  t.log(
    `${Math.round(count / seconds)} asks/s, ${((user + system) / count).toFixed(0)} µs of CPU each, both sides`,
  )
  // Of the order of 25 µs on an idle machine: ten times that is a defect.
  t.true((user + system) / count < 250)
  await near.close()
  await far.close()
})

test.serial('a process that is stopped (SIGSTOP) is found by its silence', async t => {
  const child = await childNode()
  const near = node('near')
  try {
    const ref = near.ref<Adder>(child.address)
    t.is(await ref.ask('add', 1, 2), 3)
    const open = ref.within(60_000).ask('never')
    const down = new Promise<string>(resolve => near.watch(child.address, resolve))
    t.is(await ref.ask('add', 2, 2), 4)
    child.process.kill('SIGSTOP')
    const began = performance.now()
    t.regex(await down, /said nothing for \d+ ms/)
    const tookMs = performance.now() - began
    await t.throwsAsync(open, { code: 'NODE_UNREACHABLE' })
    t.log(`found after ${Math.round(tookMs)} ms`)
    // The bound of the design, and room for a machine that is busy with other things.
    t.true(tookMs < UNREACHABLE_MS + PING_MS + 1500)
    t.true(tookMs > UNREACHABLE_MS - PING_MS)
    // Watched again while it is stopped: the connection is made by its kernel, but nobody greets.
    t.regex(
      await new Promise<string>(resolve => near.watch(child.address, resolve)),
      /cannot be reached/,
    )
    child.process.kill('SIGCONT')
    t.is(await ref.ask('add', 3, 2), 5)
  } finally {
    child.process.kill('SIGKILL')
    await near.close()
  }
})

test.serial('a process that is killed is found when it does not come back', async t => {
  const child = await childNode()
  const near = node('near')
  const ref = near.ref<Adder>(child.address)
  t.is(await ref.ask('add', 1, 2), 3)
  const down = new Promise<string>(resolve => near.watch(child.address, resolve))
  child.process.kill('SIGKILL')
  t.regex(await down, /cannot be reached: .*(ECONNREFUSED|ended)/)
  await near.close()
})
