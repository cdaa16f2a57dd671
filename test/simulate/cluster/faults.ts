// The faults of a simulated cluster, each at a moment drawn from the seed. None begins after the active time; those that
// last end by themselves.
import type { MemoryCluster } from '../../../src/cluster/store/memory-store.ts'
import type { Chance, VirtualTime } from '../virtual-time.ts'
import type { Entry, Machines } from './machines.ts'
import type { Network } from './network.ts'
import type { ClusterOracle } from './oracle.ts'
import type { ClusterScenario, PlannedFault } from './scenario.ts'

const PAUSE_MS_MAX = 40_000
const PARTITION_MS_MAX = 20_000
const RESTART_MS_MAX = 12_000
/** What an app master tells an executor on its way up. */
const STEPS: readonly string[] = ['load', 'prepare', 'start', 'go', 'replacePeer', 'replan']

export interface FaultsParts {
  readonly scenario: ClusterScenario
  readonly time: VirtualTime
  readonly chance: Chance
  readonly network: Network
  readonly machines: Machines
  readonly store: MemoryCluster
  readonly oracle: ClusterOracle
}

export class Faults {
  /** When the last one is over. */
  lastMs = 0
  readonly #parts: FaultsParts
  #partitioned = false
  /** So many of the next app masters and executors die young. */
  #early = 0

  constructor(parts: FaultsParts) {
    this.#parts = parts
  }

  schedule(): void {
    const { scenario, time, chance } = this.#parts
    const { faults, activeMs } = scenario
    const times = (count: number, fault: () => void) => {
      for (let n = 0; n < count; n++) time.after(chance.between(1000, activeMs), fault)
    }
    times(faults.kill, () => this.#kill())
    times(faults.powerLoss, () => this.#losePower())
    times(faults.pause, () => this.#pause())
    times(faults.partition, () => this.#partition())
    times(faults.sever, () => this.#sever())
    times(faults.store, () => this.#disturbStore())
    times(faults.early, () => {
      this.#early++
    })
    times(scenario.outages, () => this.#loseMajority())
    for (const fault of scenario.planned) time.after(fault.atMs, () => this.#carryOut(fault))
  }

  #carryOut(fault: PlannedFault): void {
    const { oracle, machines, network, time, store } = this.#parts
    const victim = this.#victim(fault)
    // It has just died of the fault before.
    if (victim === undefined) return
    const { kind, restartMs, forMs = 0 } = fault
    oracle.note('planned', kind, victim.process.name)
    if (kind === 'pause') victim.process.pause(forMs)
    else if (kind === 'cut') {
      network.part(victim.process.host)
      // A master's host is where its part of the store is, too.
      const reach = store.faults(victim.of)
      reach.cut = 'both'
      time.after(forMs, () => {
        network.join(victim.process.host)
        reach.cut = 'none'
      })
    } else {
      const gone =
        kind === 'kill'
          ? [victim]
          : [...machines.live].filter(entry => entry.process.host === victim.process.host)
      for (const entry of gone) {
        entry.process.powerless = kind === 'power'
        machines.kill(entry, 'simulated: planned')
        if (restartMs !== undefined) this.#restartAfter(restartMs, entry)
      }
    }
  }

  #victim({ role, pick }: PlannedFault): Entry | undefined {
    const { machines } = this.#parts
    const [leader] = machines.leaders
    const living = (kind: Entry['kind']) =>
      [...machines.live]
        .filter(entry => entry.kind === kind)
        .sort((a, b) => a.executor - b.executor || (a.process.name < b.process.name ? -1 : 1))
    const workerOf = (entry?: Entry) => living('worker').find(worker => worker.of === entry?.of)
    if (role === 'leader') return living('master').find(entry => entry.of === leader)
    if (role === 'worker-of-app-master') return workerOf(living('app-master')[0])
    if (role === 'worker' && pick === undefined) return workerOf(living('executor')[0])
    const victims = living(role)
    return victims[(pick ?? 0) % Math.max(1, victims.length)]
  }

  /** An app master or executor has been started. */
  started(entry: Entry): void {
    if (this.#early === 0) return
    const { time, chance, scenario } = this.#parts
    if (time.now() > scenario.activeMs || chance.happens(0.5)) return
    this.#early--
    this.#lasts(2000)
    time.after(chance.next() * 1500, () => this.#die(entry))
  }

  /** An executor was told something: now and then that is the last that its app master has said. */
  told(app: number, method: string): void {
    const { chance, time, scenario, machines } = this.#parts
    if (this.#early === 0 || !STEPS.includes(method) || time.now() > scenario.activeMs) return
    if (chance.happens(0.7)) return
    this.#early--
    const [appMaster] = [...machines.live].filter(e => e.app === app && e.kind === 'app-master')
    if (appMaster !== undefined) time.after(chance.next() * 30, () => this.#die(appMaster))
  }

  #lasts(ms: number): void {
    this.lastMs = Math.max(this.lastMs, this.#parts.time.now() + ms)
  }

  #someone(): Entry | undefined {
    const { chance, machines } = this.#parts
    const kind = chance.pick(['master', 'worker', 'app-master', 'app-master', 'executor'] as const)
    // Now and then the one that leads.
    const [leader] = machines.leaders
    const of = [...machines.live].filter(entry => entry.kind === kind)
    const leads = kind === 'master' && chance.happens(0.5)
    return (leads ? of.find(entry => entry.of === leader) : undefined) ?? chance.pick(of)
  }

  #kill(): void {
    const entry = this.#someone()
    if (entry !== undefined) this.#die(entry)
  }

  #die(entry: Entry): void {
    const { oracle, machines } = this.#parts
    if (entry.process.killed) return
    oracle.count('kills')
    oracle.note('kill', entry.process.name)
    machines.kill(entry, 'simulated: killed')
    this.#restartLater(entry)
  }

  #restartLater(entry: Entry): void {
    const { chance } = this.#parts
    this.#restartAfter(chance.pick([200, 2000, RESTART_MS_MAX]) * chance.next(), entry)
  }

  #restartAfter(waitMs: number, { kind, of }: Entry): void {
    const { time, machines } = this.#parts
    const number = Number(of.slice(1))
    this.#lasts(waitMs)
    if (kind === 'master') time.after(waitMs, () => void machines.startMaster(number))
    if (kind === 'worker') time.after(waitMs, () => void machines.startWorker(number))
  }

  #losePower(): void {
    const { chance, machines, oracle } = this.#parts
    const victim = chance.pick([...machines.live].filter(e => /master$|worker/.test(e.kind)))
    if (victim === undefined) return
    oracle.count('powerLosses')
    oracle.note('power', victim.process.host)
    for (const entry of [...machines.live]) {
      if (entry.process.host !== victim.process.host) continue
      entry.process.vanish()
      machines.live.delete(entry)
      if (entry.kind === 'worker' || entry.kind === 'master') this.#restartLater(entry)
    }
  }

  #pause(): void {
    const { chance, oracle } = this.#parts
    const entry = this.#someone()
    if (entry === undefined) return
    const forMs = chance.pick([4000, 12_000, PAUSE_MS_MAX]) * chance.between(0.25, 1)
    oracle.count('pauses')
    oracle.note('pause', entry.process.name, forMs)
    this.#lasts(forMs)
    entry.process.pause(forMs)
  }

  #partition(): void {
    const { time, chance, network, machines, oracle } = this.#parts
    if (this.#partitioned) return
    const hosts = [...new Set([...machines.live].map(entry => entry.process.host))]
    const island = new Set(hosts.filter(() => chance.happens(0.4)))
    if (island.size === 0 || island.size === hosts.length) return
    const forMs = chance.pick([2000, 8000, PARTITION_MS_MAX]) * chance.between(0.5, 1)
    oracle.count('partitions')
    oracle.note('partition', ...island, forMs)
    this.#partitioned = true
    this.#lasts(forMs)
    network.isolate(island)
    time.after(forMs, () => {
      this.#partitioned = false
      oracle.note('heal')
      network.heal()
    })
  }

  #sever(): void {
    const { network, oracle } = this.#parts
    const [one, other] = [this.#someone(), this.#someone()]
    if (one === undefined || other === undefined || one === other) return
    oracle.count('severed')
    oracle.note('sever', one.process.name, other.process.name)
    network.sever(one.process, other.process)
  }

  #loseMajority(): void {
    const { chance, store, oracle } = this.#parts
    const forMs = chance.pick([1500, 5000, 15_000]) * chance.between(0.3, 1)
    oracle.count('outages')
    oracle.note('outage', forMs)
    this.#lasts(forMs)
    store.outage(forMs)
  }

  #disturbStore(): void {
    const { time, chance, store, machines, scenario, oracle } = this.#parts
    const [leader] = machines.leaders
    const some = `m${1 + chance.below(scenario.masters)}`
    const faults = store.faults(leader !== undefined && chance.happens(0.7) ? leader : some)
    const kind = chance.pick(['requests', 'answers', 'both', 'lost', 'slow', 'verySlow'] as const)
    // What is carried out after its sender has lost the lead: only then do fences matter.
    const least = kind === 'verySlow' ? 0.6 : 0.2
    const forMs = chance.pick([1500, 4000, 10_000]) * chance.between(least, 1)
    oracle.count('storeFaults')
    oracle.note('store', kind, forMs)
    this.#lasts(forMs)
    if (kind === 'lost') faults.answersLost = 1 + chance.below(4)
    else if (kind === 'slow') faults.requestMs = faults.answerMs = chance.between(5, 300)
    else if (kind === 'verySlow') faults.requestMs = chance.between(1000, 6000)
    else faults.cut = kind
    time.after(forMs, () => {
      Object.assign(faults, { cut: 'none', requestMs: 0, answerMs: 0, answersLost: 0 })
    })
  }
}
