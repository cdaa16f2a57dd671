// What progress keeping costs, in nanoseconds of CPU time per tuple or hop:
//   node --conditions=source --import=./bin/typescript.mjs bench/progress.ts [part of a row's name]
// One JSON line per row; each figure is the median of five runs. User work is left out: for the rows inside one
// process the same loop without a ledger is subtracted, the others contain next to nothing else. Compare rows of one
// run, or runs made in the same minutes; the absolute figures follow the machine's mood.
import { InLink } from '../src/progress/in-link.ts'
import { OutLink } from '../src/progress/out-link.ts'
import { RootTable } from '../src/progress/root-table.ts'
import { type Slot, SlotLedger } from '../src/progress/slot-ledger.ts'

const TUPLES = 1 << 21
const BATCH = 64
let sink = 0

const values = new Float64Array(BATCH)
const box = new Int32Array(1 << 16)
const only = process.argv[2] ?? ''

function cpuNs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Median ns per tuple of five runs of `run`, which handles TUPLES tuples. */
function measure(run: () => void): number {
  run()
  run()
  const figures: number[] = []
  for (let i = 0; i < 5; i++) {
    const start = cpuNs()
    run()
    figures.push((cpuNs() - start) / TUPLES)
  }
  return figures.sort((a, b) => a - b)[2]!
}

function row(name: string, work: () => Record<string, number>): void {
  if (!name.includes(only)) return
  const rounded = Object.entries(work()).map(([k, v]) => [k, Math.round(v * 100) / 100])
  console.log(JSON.stringify({ bench: 'progress', row: name, ...Object.fromEntries(rounded) }))
}

function ledger(): SlotLedger {
  const count = (): void => {
    sink++
  }
  return new SlotLedger({ rootsDone: count, rootFailed: count, renewRoot: count }, 1 << 16)
}

// ---- inside one executor: a source and a chain of tasks, 64 tuples at a time

function chainPlain(hops: number): void {
  for (let i = 0; i < TUPLES; i += BATCH) {
    for (let k = 0; k < BATCH; k++) values[k] = i + k
    for (let h = 0; h < hops; h++) for (let k = 0; k < BATCH; k++) values[k]! += 1
    sink += values[3]!
  }
}

function chainTracked(hops: number, own: SlotLedger): void {
  for (let i = 0; i < TUPLES; i += BATCH) {
    for (let k = 0; k < BATCH; k++) {
      values[k] = i + k
      box[k] = own.root(0, i + k) // the emit's hold becomes the inbox's
    }
    for (let h = 0; h < hops; h++) {
      for (let k = 0; k < BATCH; k++) {
        const slot = box[k]!
        values[k]! += 1
        if (h < hops - 1) own.add(slot) // the child emitted, anchored to the input
        own.release(slot) // the input acked
      }
    }
    sink += values[3]!
  }
}

function chain(hops: number, own: SlotLedger): number {
  return measure(() => chainTracked(hops, own)) - measure(() => chainPlain(hops))
}

for (const hops of [1, 3, 5]) {
  row(`one executor, in order, chain of ${hops}`, () => {
    const perRoot = chain(hops, ledger())
    return { nsPerRoot: perRoot, nsPerHop: perRoot / hops }
  })
}
row('one executor, in order, one more hop', () => {
  const own = ledger()
  return { nsPerHop: (chain(9, own) - chain(1, own)) / 8 }
})

// ---- victims out of a window, in random order

class Window {
  readonly held: Int32Array
  filled = 0
  private seed = 12345

  constructor(size: number) {
    this.held = new Int32Array(size)
  }

  /** Puts a slot in; returns the one that goes out for it, or 0 while the window fills. */
  swap(slot: Slot): Slot {
    const { held } = this
    if (this.filled < held.length) {
      held[this.filled++] = slot
      return 0
    }
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0
    const i = (this.seed >>> 8) % held.length
    const out = held[i]!
    held[i] = slot
    return out
  }
}

row('one executor, async window of 10000, random order', () => {
  const own = ledger()
  const window = new Window(10_000)
  const ns = measure(() => {
    for (let i = 0; i < TUPLES; i++) {
      const slot = window.swap(own.root(0, i))
      if (slot !== 0) own.release(slot)
    }
  })
  return { nsPerRoot: ns }
})

// ---- over a link: all costs of both sides except encoding

function pair() {
  const near = ledger()
  const far = ledger()
  const out = new OutLink(0, { places: 1 << 14 })
  const inn = new InLink()
  const number = far.openIn(inn)
  return { near, far, out, inn, number }
}
type Pair = ReturnType<typeof pair>

function remote({ near, far, out, inn, number }: Pair, frame: number): void {
  for (let i = 0; i < TUPLES; i += frame) {
    const first = out.nextPosition
    for (let k = 0; k < frame; k++) {
      const slot = near.root(0, i + k)
      near.send(out, slot)
      near.release(slot)
    }
    for (let k = 0; k < frame; k++) box[k] = far.arrival(number, (first + k) | 0)
    for (let k = 0; k < frame; k++) far.release(box[k]!)
    near.applyProgress(out, inn.takeProgress())
  }
}

for (const frame of [16, 128, 512]) {
  row(`over a link, in order, frames of ${frame}`, () => {
    const both = pair()
    return { nsPerRoot: measure(() => remote(both, frame)) }
  })
}

function remoteWindow({ near, far, out, inn, number }: Pair, window: Window): number {
  let runs = 0
  for (let i = 0; i < TUPLES; i += 512) {
    const first = out.nextPosition
    for (let k = 0; k < 512; k++) {
      const slot = near.root(0, i + k)
      near.send(out, slot)
      near.release(slot)
    }
    for (let k = 0; k < 512; k++) {
      const slot = window.swap(far.arrival(number, (first + k) | 0))
      if (slot !== 0) far.release(slot)
    }
    const progress = inn.takeProgress()
    runs += progress.runs.length / 2
    near.applyProgress(out, progress)
  }
  return runs
}

for (const size of [100, 10_000]) {
  row(`over a link, async window of ${size}, random order, PROGRESS per 512`, () => {
    const both = pair()
    const window = new Window(size)
    let runs = 0
    const ns = measure(() => {
      runs = remoteWindow(both, window)
    })
    const { places, aside } = both.out.sent
    return { nsPerRoot: ns, runsPerMessage: runs / TUPLES, places, aside }
  })
}

row('over a link, frames of 512, first position stuck', () => {
  const both = pair()
  const stuck = both.near.root(0, -1)
  both.near.send(both.out, stuck)
  both.near.release(stuck)
  both.far.arrival(both.number, 0)
  const ns = measure(() => remote(both, 512))
  return { nsPerRoot: ns, aside: both.out.sent.aside, bitmapKb: both.inn.bitmapBytes / 1024 }
})

// ---- joins and the roots of a source

for (const anchors of [2, 10, 100]) {
  row(`join of ${anchors} roots`, () => {
    const own = ledger()
    const ns = measure(() => {
      for (let i = 0; i < TUPLES; i += anchors) {
        const parents = new Array<Slot>(anchors)
        for (let j = 0; j < anchors; j++) parents[j] = own.root(0, i + j)
        const join = own.join(parents)
        for (let j = 0; j < anchors; j++) own.release(parents[j]!)
        own.release(join)
      }
    })
    return { nsPerAnchor: ns }
  })
}

function sourceRoots() {
  let roots: RootTable | undefined
  const own = new SlotLedger({
    rootsDone: (_, places, n) => {
      for (let i = 0; i < n; i++) roots!.done(places[i]!)
      return true
    },
    rootFailed: (_, place) => roots!.fail(place),
    renewRoot: (_, place) => roots!.renew(place),
  })
  roots = new RootTable(own, 0)
  return { own, roots }
}

row('roots of a source, in order', () => {
  const { own, roots } = sourceRoots()
  const ns = measure(() => {
    for (let i = 0; i < TUPLES; i += BATCH) {
      for (let k = 0; k < BATCH; k++) box[k] = roots.push(i)
      for (let k = 0; k < BATCH; k++) own.release(box[k]!)
      for (let k = 0; k < BATCH; k++) if (roots.take() !== undefined) sink++
    }
  })
  return { nsPerRoot: ns }
})
row('roots of a source, async window of 10000, random order, clock read per 1024', () => {
  const { own, roots } = sourceRoots()
  const window = new Window(10_000)
  const ns = measure(() => {
    for (let i = 0; i < TUPLES; i++) {
      const slot = window.swap(roots.push(i))
      if (slot !== 0) own.release(slot)
      if (roots.untold > 0) roots.take()
      if ((i & 1023) === 0) sink += roots.lowestStamp()
    }
  })
  return { nsPerRoot: ns }
})

// ---- for scale: Storm's algebra, the XOR of id pairs in a hot open-addressing table, without any message

row('for scale: XOR pair in a table, in order, one entry', () => {
  const size = 1 << 17
  const keys = new Int32Array(size)
  const low = new Int32Array(size)
  const high = new Int32Array(size)
  let x = 1
  const random = (): number => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x
  }
  const place = (key: number): number => {
    let h = Math.imul(key, 0x9e3779b1) >>> 15
    while (keys[h] !== 0 && keys[h] !== key) h = (h + 1) & (size - 1)
    return h
  }
  const ns = measure(() => {
    for (let i = 1; i <= TUPLES; i++) {
      const a = random()
      const b = random()
      const made = place(i)
      keys[made] = i
      low[made]! ^= a
      high[made]! ^= b
      const acked = place(i)
      low[acked]! ^= a
      high[acked]! ^= b
      if (low[acked] === 0 && high[acked] === 0) keys[acked] = 0
    }
  })
  return { nsPerTuple: ns }
})
console.log(JSON.stringify({ bench: 'progress', row: 'end', node: process.version, sink }))
