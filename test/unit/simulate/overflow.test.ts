// Found by simulated worlds whose inputs put out several messages each: the inbox of a stuck task grew without end.
import test from 'ava'
import { shuffle } from '../../../src/dag/partitioner.ts'
import { Emitter, Gate, type Target } from '../../../src/task/flow.ts'
import { compileEdge, type Targets } from '../../../src/task/out-edge.ts'
import type { RunnerHost } from '../../../src/task/runner-host.ts'

const DEPTH = 8
const BURST = 5

class Source extends Emitter {
  override lends(): boolean {
    return true
  }
  protected override monotonicMs(): number {
    return 0
  }
  protected override resume(): void {
    // It is asked again by the test.
  }
}

class Basin implements Target {
  readonly taskId: number
  size = 0
  readonly #gate = new Gate()

  constructor(taskId: number) {
    this.taskId = taskId
  }

  deliver(): boolean {
    this.size++
    return this.isFull()
  }

  isFull(): boolean {
    return this.size >= DEPTH
  }

  depth(): number {
    return this.size
  }

  gate(): Gate {
    return this.#gate
  }

  drain(): void {
    this.size = 1
    this.#gate.open()
  }
}

test('a stuck task gets no share of what one input puts out beyond the bounds of all', t => {
  const stuck = new Basin(1)
  const others = [new Basin(2), new Basin(3)]
  const all = [stuck, ...others]
  const emitter = new Source(9)
  const host = { environment: { random: () => 0 } } as unknown as RunnerHost
  const edge = {
    id: 0,
    source: 0,
    target: 1,
    partitioner: shuffle(),
    port: 'default',
    closesCycle: false,
  }
  const targets = { all, local: all, byTaskId: new Map() } as unknown as Targets
  const out = compileEdge(host, edge, targets, emitter, 0)
  for (let inputs = 0; inputs < 1000; inputs++) {
    if (emitter.blockedOn > 0) for (const other of others) other.drain()
    for (let n = 0; n < BURST; n++) out.emit(n, 0)
  }
  t.true(stuck.size <= DEPTH + BURST, `${stuck.size} wait at the stuck task`)
})
