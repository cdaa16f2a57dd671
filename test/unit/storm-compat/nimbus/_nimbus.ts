// A Nimbus on a free port with a host that only notes what it is asked, a clock that is moved by hand, and a client.
import type { ExecutionContext } from 'ava'
import type { Clock } from '../../../../storm-compat/nimbus/clock.ts'
import { type NimbusOptions, startNimbus } from '../../../../storm-compat/nimbus/nimbus.ts'
import type {
  HostedInfo,
  HostedTopology,
  HostRequest,
  TopologyHost,
} from '../../../../storm-compat/nimbus/topology-host.ts'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import type { StormTopology } from '../../../../storm-compat/thrift/storm-topology.ts'

export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000
  #timers: { atMs: number; fn: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, fn: () => void) {
    const timer = { atMs: this.#nowMs + delayMs, fn }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(other => other !== timer)
      },
    }
  }

  move(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#timers = this.#timers.filter(timer => !due.includes(timer))
    for (const { fn } of due) fn()
  }
}

const NO_FIGURES = { emitted: 0, acked: 0, failed: 0, pending: 0, lost: 0, unresolved: 0 }
const counts = { tasks: 1, inFlight: 0, blockedMs: 0 }
const busy = { emitted: 0, received: 0, acked: 0, failed: 0, busyMs: 0 }
const NO_TICKS = [0, 0, 0, 0, 0, 0, 0]

export class NotingHost implements TopologyHost {
  readonly notes: string[] = []
  readonly requests: HostRequest[] = []
  readonly gone = new Set<string>()
  /** What submit does instead of succeeding at once. */
  starting: (() => Promise<readonly string[]>) | undefined
  info_: HostedInfo = {
    status: 'active',
    figures: {
      ...NO_FIGURES,
      components: {
        // A stream: emitted, transferred, acked, failed, complete latency in all and how many it was of.
        words: { ...counts, ...busy, tally: [21, 21, 20, 1, 300, 2] },
        // A stream; ticks; an input: executed, acked, failed, execute latency, process latency.
        split: { ...counts, ...busy, tally: [80, 80, ...NO_TICKS, 20, 20, 0, 4, 2, 9, 3] },
      },
    },
    // Task 1 is the acker's number; 2 to 4 are split, 5 is words.
    tallies: [
      { task: 2, tally: [60, 60, ...NO_TICKS, 15, 15, 0, 3, 1, 6, 2] },
      { task: 3, tally: [20, 20, ...NO_TICKS, 5, 5, 0, 1, 1, 3, 1] },
      { task: 4, tally: [0, 0, ...NO_TICKS, 0, 0, 0, 0, 0, 0, 0] },
      { task: 5, tally: [21, 21, 20, 1, 300, 2] },
    ],
    executors: [
      { id: 1, pid: 11, tasks: [2, 4], upMs: 100_000 },
      { id: 2, pid: 12, where: 'far', tasks: [3, 5], upMs: 5000 },
    ],
    errors: {
      split: {
        total: 2,
        last: [
          { task: 3, timeMs: 1_700_000_001_000, code: undefined, message: 'first' },
          { task: 3, timeMs: 1_700_000_002_000, code: undefined, message: 'second' },
        ],
      },
    },
  }

  submit(request: HostRequest): Promise<readonly string[]> {
    this.requests.push(request)
    this.notes.push(`submit ${request.topology.name} ${request.active}`)
    return this.starting?.() ?? Promise.resolve([])
  }

  async list(): Promise<readonly HostedTopology[]> {
    return this.requests.flatMap(({ id, active }) => (this.gone.has(id) ? [] : [{ id, active }]))
  }

  async info(): Promise<HostedInfo> {
    return this.info_
  }

  async setActive(_: string, active: boolean): Promise<void> {
    this.notes.push(active ? 'activate' : 'deactivate')
  }

  async setCredentials(_: string, credentials: Readonly<Record<string, string>>): Promise<void> {
    this.notes.push(`credentials ${Object.keys(credentials)}`)
  }

  async rebalance(): Promise<void> {
    this.notes.push('rebalance')
  }

  async kill(id: string): Promise<void> {
    this.gone.add(id)
    this.notes.push('kill')
  }
}

export async function nimbusFor(t: ExecutionContext, more: Partial<NimbusOptions> = {}) {
  const clock = new ManualClock()
  const host = new NotingHost()
  const nimbus = await startNimbus({ host, clock, port: 0, ...more })
  const client = await connectThrift({
    methods: nimbusMethods,
    host: '127.0.0.1',
    port: nimbus.port,
  })
  t.teardown(async () => {
    client.close()
    await nimbus.close()
  })
  return { clock, host, nimbus, client }
}

/** A spout `words`, and a bolt `split` with three executors that reads it. */
export function wordTopology(): StormTopology {
  const shell = (script: string) =>
    ({ kind: 'shell', value: { execution_command: 'python3', script } }) as const
  const streams = new Map([['default', { output_fields: ['word'], direct: false }]])
  return {
    spouts: new Map([
      ['words', { spout_object: shell('words.py'), common: { inputs: [], streams } }],
    ]),
    bolts: new Map([
      [
        'split',
        {
          bolt_object: shell('split.py'),
          common: {
            inputs: [
              [
                { componentId: 'words', streamId: 'default' },
                { kind: 'shuffle', value: {} },
              ],
            ],
            streams,
            parallelism_hint: 3,
          },
        },
      ],
    ]),
    state_spouts: new Map(),
  }
}
