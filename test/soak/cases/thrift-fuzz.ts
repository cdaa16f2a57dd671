// Wrong bytes at the Thrift port: calls of a real client, mutated, over real connections. After each, a right call must be
// answered, or the connection must have been closed; the process lives on, and its memory stays flat.
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { startNimbus, type TopologyHost } from 'gearpump/storm'
import { Findings } from '../findings.ts'
import { family, residentMbOf } from '../machine.ts'
import { mutated, randomFrom } from '../mutation.ts'

export interface FuzzSize {
  readonly frames: number
  readonly seed: number
  readonly growthMbMax: number
}

const CONNECTIONS = 16
/** One in so many frames gets a length that lies. */
const LIES = 20
const HANGS_MS = 20_000
const FIXTURES = new URL('../../fixtures/thrift/', import.meta.url)

/** Runs nothing. */
const host: TopologyHost = {
  submit: async () => [],
  list: async () => [],
  info: async () => undefined,
  setCredentials: async () => undefined,
  setActive: async () => undefined,
  rebalance: async () => undefined,
  kill: async () => undefined,
}

export async function thriftFuzz(size: FuzzSize): Promise<Findings> {
  const findings = new Findings()
  const messages: Buffer[] = readdirSync(FIXTURES)
    .filter(name => /^\w+\.bin$/.test(name))
    .map(name => readFileSync(new URL(name, FIXTURES)))
  messages.push(...['beginFileUpload', 'getTopologySummaries', 'getNimbusConf'].map(callOf))
  const nimbus = await startNimbus({ host, port: 0 })
  const residentMb = () => residentMbOf(family())
  let warmMb = 0
  let done = 0
  let closed = 0
  const startMs = performance.now()
  const work = async (index: number) => {
    const random = randomFrom(size.seed + index)
    let peer = await Peer.connect(nimbus.port)
    while (done < size.frames) {
      done++
      if (done === Math.floor(size.frames / 5)) warmMb = residentMb()
      const message = messages[Math.floor(random() * messages.length)]!
      const frame = framed(mutated(message, random))
      const lies = random() * LIES < 1
      if (lies) frame.writeInt32BE(Math.floor(random() * 2 ** 32) | 0)
      peer.socket.write(frame)
      if (!lies && (await peer.answers())) continue
      closed++
      peer.socket.destroy()
      peer = await Peer.connect(nimbus.port)
    }
    findings.expect(await peer.answers(), 'the last right call was not answered')
    peer.socket.destroy()
  }
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => work(index)))
    findings.note('frames', done)
    findings.note('closed', closed)
    findings.note('frames_per_sec', (1000 * done) / (performance.now() - startMs))
    findings.atMost('growth_mb', residentMb() - warmMb, size.growthMbMax)
  } finally {
    await nimbus.close()
  }
  return findings
}

/** One client. */
class Peer {
  readonly socket: Socket
  #waiting: ((answered: boolean) => void) | undefined
  #tail = Buffer.alloc(0)
  #gone = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#gone = true
      this.#waiting?.(false)
    })
  }

  static async connect(port: number): Promise<Peer> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Peer(socket)
  }

  /** Makes a right call; true when it was answered, false when the connection was closed. */
  async answers(): Promise<boolean> {
    if (this.#gone) return false
    let timer: NodeJS.Timeout | undefined
    const answered = new Promise<boolean>((resolve, reject) => {
      this.#waiting = resolve
      timer = setTimeout(() => reject(new Error('a right call was not answered')), HANGS_MS)
      this.socket.write(PROBE)
    })
    try {
      return await answered
    } finally {
      clearTimeout(timer)
    }
  }

  // The answer ends in the probe's own text; what came before belongs to the mutated call.
  #take(chunk: Buffer): void {
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-200)
    if (this.#tail.includes(PROBE_NAME)) {
      this.#tail = Buffer.alloc(0)
      this.#waiting?.(true)
    }
  }
}

function callOf(name: string): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(0x80010001)
  head.writeInt32BE(name.length, 4)
  return Buffer.concat([head, Buffer.from(name), Buffer.of(0, 0, 0, 9), Buffer.of(0)])
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.alloc(4 + message.length)
  frame.writeInt32BE(message.length)
  message.copy(frame, 4)
  return frame
}

/** A method that is not there: the answer repeats its name. */
const PROBE_NAME = 'areYouThere'
const PROBE = framed(callOf(PROBE_NAME))
