// What must hold when a world has come to rest: nothing is kept anywhere, and the books are right.
import type { AppMaster } from '../../src/app/app-master.ts'
import type { Cluster, SimulatedProcess } from './cluster.ts'
import type { Oracle } from './oracle.ts'
import type { Scenario } from './scenario.ts'
import type { Store } from './user-source.ts'

export interface RestParts {
  readonly scenario: Scenario
  readonly oracle: Oracle
  readonly cluster: Cluster
  readonly master: AppMaster
  readonly stores: ReadonlyMap<number, Store>
  /** Lets a little time pass. */
  pause(): Promise<void>
  settle<T>(promise: Promise<T>): Promise<T>
}

/** Credit is told by quarters of the window. */
const TELL_PART = 4
/** A clock that is being told, or a source being asked, may stand in the way of one look, not of several. */
const LOOKS_MAX = 20
/** What has no root is waited for here. */
const IDLE_LOOKS_MAX = 2000

export async function checkRest(parts: RestParts): Promise<void> {
  const { oracle, master, scenario, stores } = parts
  for (let looks = 0; looks < IDLE_LOOKS_MAX && !allIdle(parts.cluster); looks++)
    await parts.pause()
  for (const process of parts.cluster.live) checkExecutor(process!, parts)
  if (scenario.replays) {
    for (const [task, store] of stores) {
      for (const id of store.emitted) {
        if (!store.done.has(id)) oracle.broken(`id ${id} of task ${task} was never processed`)
      }
      if (store.emitted.size < scenario.ids) oracle.broken(`task ${task} did not emit everything`)
    }
  }
  let looks = 0
  while (looks < LOOKS_MAX && !(await parts.settle(master.isDrained(0)))) looks++
  if (looks === LOOKS_MAX) oracle.broken('the app master sees no rest')
  const { emitted, acked, failed, pending, lost } = await parts.settle(master.figures())
  if (emitted !== acked + failed + pending + lost || pending !== 0)
    oracle.broken(`figures: ${emitted} ≠ ${acked} + ${failed} + ${pending} + ${lost}`)
}

function allIdle(cluster: Cluster): boolean {
  return cluster.live.every(process => {
    const { runners } = process!.host.executor!
    return (
      runners.all().every(r => r.idle && r.inFlight === 0) && runners.sources.every(s => s.settled)
    )
  })
}

function checkExecutor(process: SimulatedProcess, { oracle, scenario, cluster }: RestParts): void {
  const executor = process.host.executor!
  const { ledger, runners, peers } = executor
  const broken = (what: string) => oracle.broken(`(5) executor ${process.id}: ${what}`)
  if (ledger.live !== 0) broken(`${ledger.live} slots are left`)
  const links = [...process.links.values()].filter(link => !link.closed || link.liveSlots > 0)
  if (links.some(link => link.closed)) broken('a closed link has slots')
  if (links.length >= scenario.executors) broken(`${links.length} link numbers are taken`)
  if (links.some(link => link.ahead > 0 || link.dirty)) broken('an in link is not told out')
  for (const runner of runners.all()) {
    if (!runner.idle || runner.inFlight !== 0) broken(`task ${runner.taskId} holds something`)
    if (runner.blockedOn !== 0) broken(`task ${runner.taskId} waits for room`)
  }
  for (const source of runners.sources) {
    if (!source.settled) broken(`source ${source.taskId} has not settled`)
    if (source.blockedOn !== 0) broken(`source ${source.taskId} waits for room`)
  }
  if (executor.cycleGuard.blockedOn !== 0) broken('the sources are paused')
  const untoldMax = Math.max(1, Math.floor(scenario.profile.creditWindow / TELL_PART))
  for (const outbox of peers.outboxes) {
    if (outbox.openPositions !== 0) broken('an out link keeps positions')
    if (!outbox.connected) broken(`no link to executor ${outbox.executorId}`)
    for (const pair of outbox.pairs) {
      if (pair.gate.watched) broken(`${pair.sourceTask} waits for credit of ${pair.targetTask}`)
      // What is lost at the end of a session that nobody waits for shows with its next frame.
      const exact = scenario.faults.loss === 0 && scenario.faults.cut === 0
      if (exact && pair.pending >= untoldMax)
        broken(`credit ${pair.sourceTask}->${pair.targetTask} is short by ${pair.pending}`)
    }
  }
  if (peers.outboxes.length !== cluster.live.length - 1) broken('it has peers that are gone')
}
