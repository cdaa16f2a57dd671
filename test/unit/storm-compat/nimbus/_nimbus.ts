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
        words: { ...counts, emitted: 21, received: 0, acked: 20, failed: 1, busyMs: 0 },
        split: { ...counts, emitted: 80, received: 20, acked: 20, failed: 0, busyMs: 40 },
      },
    },
    errors: {
      split: {
        total: 2,
        last: [
          { task: 2, timeMs: 1_700_000_001_000, code: undefined, message: 'first' },
          { task: 2, timeMs: 1_700_000_002_000, code: undefined, message: 'second' },
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
