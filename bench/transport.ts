// How fast messages cross from one process to another: encode, socket, decode, nothing else. The receiver is a child
// process that runs this same file. Each case runs for SECONDS and prints one JSON line: messages per second on the
// wall, and per second of CPU of both processes together.
//
//     node --conditions=source --import=./bin/typescript.mjs bench/transport.ts [unix|tcp] [case]

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DataFrameBuilder, decodeFrame, encodeProgress, FrameKind } from '../src/transport/frame.ts'
import { FramePool } from '../src/transport/frame-pool.ts'
import type { Address, Link, LinkHandler } from '../src/transport/link.ts'
import { Serialisers } from '../src/transport/serialisers.ts'
import { SocketTransport } from '../src/transport/socket-transport.ts'

const SECONDS = Number(process.env.SECONDS ?? 3)
const WARM_UP_SECONDS = 1
const FRAME_MESSAGES = Number(process.env.FRAME_MESSAGES ?? 512)
// Frames on the way at once: what credit would allow.
const FRAMES_IN_FLIGHT = Number(process.env.IN_FLIGHT ?? 8)
const BATCH = 64

const text = 'x'.repeat(96)
const texts = Array.from({ length: 1024 }, (_, i) => text + String(1000 + i))
const CASES: Record<string, readonly unknown[]> = {
  string: texts,
  tuple1: texts.map(value => [value]),
  tuple3: texts.map((value, i) => [value.slice(90), i, i / 3]),
  word: texts.map(value => value.slice(93)),
  integer: texts.map((_, i) => i * 1000),
  object: texts.map((value, i) => ({ id: i, name: value.slice(90), ok: true })),
}

interface Report {
  messages: number
  cpuS: number
}

const cpuS = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

// Child: connects (so that it reads in place) unless told to listen, counts, and answers each frame.
async function receive(how: string, address: Address | undefined): Promise<void> {
  const serialisers = new Serialisers()
  const transport = new SocketTransport({ kind: how as 'unix' })
  let messages = 0
  const handlerOf = (link: Link): LinkHandler => ({
    onFrame(kind, body) {
      const frame = decodeFrame(kind, body, serialisers)
      if (frame.kind !== FrameKind.DATA) return
      messages += frame.count
      const { session, number } = frame
      link.send(encodeProgress({ session, number, through: 0, runs: [], failed: [], credits: [] }))
    },
    onClose: () => undefined,
    onDrain: () => undefined,
  })
  process.on('message', question => {
    if (question === 'report') process.send!({ messages, cpuS: cpuS() } satisfies Report)
    else process.exit(0)
  })
  if (address !== undefined) await transport.connect(address, handlerOf)
  else process.send!(await transport.listen(handlerOf))
}

async function ask(child: ChildProcess): Promise<Report> {
  child.send('report')
  return ((await once(child, 'message')) as [Report])[0]
}

async function measure(
  how: 'unix' | 'tcp',
  name: string,
  receiverConnects: boolean,
): Promise<void> {
  const values = CASES[name]!
  const pool = process.env.NO_POOL ? undefined : new FramePool()
  const options = pool === undefined ? {} : { pool }
  const builder = new DataFrameBuilder(new Serialisers(), options)
  const transport = new SocketTransport({ kind: how, ...options })
  const session = { executor: 1, counter: 1 }
  let link: Link | undefined
  let inFlight = 0
  let number = 0
  let running = true

  const pump = (): void => {
    while (running && link !== undefined && inFlight < FRAMES_IN_FLIGHT) {
      let i = 0
      while (i < FRAME_MESSAGES && !builder.full) {
        for (let j = 0; j < BATCH && !builder.full; j++)
          builder.append(7, 1, 3, values[i++ & 1023], true)
      }
      inFlight++
      link.send(builder.finish(session, number++, 0, 0))
    }
  }
  const handlerOf = (): LinkHandler => ({
    onFrame() {
      inFlight--
      pump()
    },
    onClose: () => undefined,
    onDrain: () => undefined,
  })
  const file = fileURLToPath(import.meta.url)
  let child: ChildProcess
  if (receiverConnects) {
    const linked = new Promise<void>(resolve => {
      void transport
        .listen(made => {
          link = made
          resolve()
          return handlerOf()
        })
        .then(address => {
          child = fork(file, ['--receive', how, JSON.stringify(address)])
        })
    })
    await linked
  } else {
    child = fork(file, ['--receive', how])
    const [address] = (await once(child, 'message')) as [Address]
    link = await transport.connect(address, handlerOf)
  }
  const wait = (s: number) => new Promise(resolve => setTimeout(resolve, s * 1000))
  pump()
  await wait(WARM_UP_SECONDS)
  const [before, cpuBefore, clockBefore] = [await ask(child!), cpuS(), performance.now()]
  await wait(SECONDS)
  const [after, cpuAfter, clockAfter] = [await ask(child!), cpuS(), performance.now()]
  running = false
  const messages = after.messages - before.messages
  const wallS = (clockAfter - clockBefore) / 1000
  const sendCpuS = cpuAfter - cpuBefore
  const receiveCpuS = after.cpuS - before.cpuS
  const millions = (value: number): number => Number((value / 1e6).toFixed(2))
  console.log(
    JSON.stringify({
      link: how,
      case: name,
      reading: receiverConnects ? 'in place' : 'by stream',
      wallMps: millions(messages / wallS),
      cpuMps: millions(messages / (sendCpuS + receiveCpuS)),
      sendNs: Math.round((sendCpuS / messages) * 1e9),
      receiveNs: Math.round((receiveCpuS / messages) * 1e9),
    }),
  )
  child!.send('end')
  await transport.close()
}

const [first, second, third] = process.argv.slice(2)
if (first === '--receive') {
  await receive(second!, third === undefined ? undefined : (JSON.parse(third) as Address))
} else {
  for (const how of first === undefined ? (['unix', 'tcp'] as const) : [first as 'unix' | 'tcp']) {
    for (const name of second === undefined ? Object.keys(CASES) : [second]) {
      await measure(how, name, true)
      await measure(how, name, false)
    }
  }
}
