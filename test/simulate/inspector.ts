// Looks into the executors of a world while it runs: flow control, clocks, numbers of links, how roots end in the ledger.
import type { RootTable } from '../../src/progress/root-table.ts'
import type { SlotLedger } from '../../src/progress/slot-ledger.ts'
import { type SimulatedProcess, watchBlocking } from './cluster.ts'
import type { Oracle } from './oracle.ts'
import type { Scenario } from './scenario.ts'
import type { EdgeMap } from './topology.ts'
import { EMITS_PER_INPUT_MAX, watchDeliveries } from './user-code.ts'

/** What one input of a task may send to one other: its emits, one for kept inputs, one unanchored, with room. */
const BURST_MAX = EMITS_PER_INPUT_MAX + 3

// Every end of a root, at the moment when it becomes known. Through `idOf` a root would be asked for, and that changes its way.
function watchEnds(roots: RootTable, tell: (id: unknown, done: boolean) => void): void {
  const watched = roots as unknown as { noteEnd(id: unknown, outcome: number): void }
  const noteEnd = watched.noteEnd.bind(roots)
  watched.noteEnd = (id, outcome) => {
    tell(id, outcome === 0)
    noteEnd(id, outcome)
  }
  const push = roots.push.bind(roots)
  const endAlone = roots.endAlone.bind(roots)
  let last: unknown
  roots.push = id => {
    last = id
    return push(id)
  }
  roots.endAlone = slot => {
    const alone = endAlone(slot)
    if (alone) tell(last, true)
    return alone
  }
}

type Live = readonly (SimulatedProcess | undefined)[]

interface InspectorParts {
  readonly scenario: Scenario
  readonly oracle: Oracle
  readonly edges: EdgeMap
  readonly stage: { pairOf(from: number, to: number): string | undefined }
}

export class Inspector {
  readonly #parts: InspectorParts
  #publishedUs = 0

  constructor(parts: InspectorParts) {
    this.#parts = parts
  }

  instrument(process: SimulatedProcess): void {
    const executor = process.host.executor
    if (executor === undefined || process.started) return
    process.started = true
    const { oracle } = this.#parts
    for (const runner of executor.runners.sources) {
      watchEnds(runner.roots, (name, done) => {
        // Untracked ones end as they are emitted, which the source of the world says itself.
        if (process.environment.killed || !oracle.tracked) return
        const number = typeof name === 'number' ? name : (name as { root: number }).root
        oracle.ended(oracle.roots[number]!, done)
      })
      watchBlocking(runner, oracle)
    }
    for (const runner of executor.runners.all()) {
      watchBlocking(runner, oracle)
      watchDeliveries(runner)
    }
    this.#watchLinks(process, executor.ledger)
  }

  // Numbers of in links are used again as soon as the last slot of a closed one is free, and not before.
  #watchLinks({ id, links }: SimulatedProcess, ledger: SlotLedger): void {
    const { oracle } = this.#parts
    const openIn = ledger.openIn.bind(ledger)
    ledger.openIn = link => {
      const taken = new Set(
        [...links].filter(([, l]) => !l.closed || l.liveSlots > 0).map(([number]) => number),
      )
      const number = openIn(link)
      if (taken.has(number)) oracle.broken(`executor ${id}: link number ${number} is in use`)
      if (!links.has(number) && taken.size < links.size)
        oracle.broken(`(5) executor ${id}: the number of a closed link is not free`)
      if (links.has(number)) oracle.count('linkNumbersRecycled')
      oracle.count('sessions')
      links.set(number, link)
      return number
    }
  }

  /** At the start of an input: what the task waits for has room, and its inbox is bounded. */
  checkFlow(task: number, process: SimulatedProcess | undefined): void {
    const { scenario, oracle, edges, stage } = this.#parts
    const { inboxDepth, creditWindow } = scenario.profile
    for (const port of ['default', 'side', 'direct']) {
      for (const to of edges.consumers(task, port)) {
        const pair = stage.pairOf(task, to)
        if (pair === undefined || edges.waitsForNone(task, to) || !oracle.faultless(pair)) continue
        const inFlight = oracle.inFlight(task, to)
        if (inFlight >= creditWindow)
          oracle.broken(`flow: task ${task} goes on with ${inFlight} on the way to ${to}`)
      }
    }
    const inbox = process?.host.executor?.runners.task(task)?.inbox
    if (inbox === undefined) return
    let bound = inboxDepth + oracle.exemptInFlight(task)
    for (const from of edges.emitters(task)) {
      const pair = stage.pairOf(from, task)
      const windows = pair === undefined ? 0 : 1 + (oracle.fences.get(pair) ?? 0)
      bound += BURST_MAX + (creditWindow + BURST_MAX) * windows
      // What goes beyond the bounds of all targets goes to the one with the least, here or elsewhere.
      if (edges.waitsForNone(from, task)) bound += Math.max(inboxDepth, creditWindow)
    }
    if (inbox.size > bound)
      oracle.broken(`flow: ${inbox.size} wait at task ${task}, more than ${bound}`)
    oracle.stats.inboxMax = Math.max(oracle.stats.inboxMax ?? 0, inbox.size)
  }

  published(clockUs: number, live: Live): void {
    if (clockUs < this.#publishedUs) this.#parts.oracle.broken('(3) the app clock went back')
    this.#publishedUs = Math.max(this.#publishedUs, clockUs)
    this.checkStamps(live)
  }

  /** No open root lies below what was published. */
  checkStamps(live: Live): void {
    for (const process of live) {
      for (const source of process?.host.executor?.runners.sources ?? []) {
        if (source.roots.lowestStamp() < this.#publishedUs)
          this.#parts.oracle.broken(
            `(3) the app clock passed an open root of task ${source.taskId}`,
          )
      }
    }
  }
}
