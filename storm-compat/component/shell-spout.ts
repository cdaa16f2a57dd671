// A spout that runs as a process of its own and speaks Storm's multi-lang protocol. This class ties the spout interface
// to the host of the process and to the spout protocol. When the process ends, what it had emitted is forgotten (its
// successor could not know the ids), and the successor is activated as it was.
import { ShellHost } from '../multilang/shell-host.ts'
import type { ShellCommand } from '../multilang/shell-process.ts'
import type { ShellDependencies } from '../multilang/shell-role.ts'
import { SpoutProtocol } from '../multilang/spout-protocol.ts'
import type {
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
} from './api.ts'

/** How long a call waits for the next process before it returns with nothing, so that a kill need not wait for it. */
const PARK_MS = 1_000

/** How long a deactivation waits for a child that is busy or hangs in its turn, so that a kill need not wait for it. */
const DEACTIVATE_MS = 3_000

export class ShellSpout implements Spout {
  private readonly shell: ShellCommand
  private readonly dependencies: Partial<ShellDependencies> | undefined
  private host: ShellHost | undefined
  private protocol: SpoutProtocol | undefined

  constructor(shell: ShellCommand, dependencies?: Partial<ShellDependencies>) {
    this.shell = shell
    this.dependencies = dependencies
  }

  /** Starts the process; resolves when it has shaken hands. */
  open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): Promise<void> {
    const host = (): ShellHost => this.host!
    const link = {
      get up() {
        return host().up
      },
      get writer() {
        return host().writer
      },
      nowMs: () => host().clock.nowMs(),
      flushSoon: () => host().flushSoon(),
    }
    this.protocol = new SpoutProtocol(link, collector)
    this.host = new ShellHost(this.protocol, {
      shell: this.shell,
      conf,
      context,
      reportError: error => collector.reportError(error),
      dependencies: this.dependencies,
    })
    return this.host.start()
  }

  nextTuple(): Promise<void> {
    return this.host!.up ? this.protocol!.next() : this.nextWhenUp()
  }

  ack(messageId: unknown): Promise<void> {
    return this.protocol!.ack(messageId)
  }

  fail(messageId: unknown): Promise<void> {
    return this.protocol!.fail(messageId)
  }

  activate(): Promise<void> {
    return this.protocol!.activate()
  }

  async deactivate(): Promise<void> {
    let cancel: () => void = () => undefined
    const late = new Promise<void>(resolve => {
      cancel = this.host!.clock.after(DEACTIVATE_MS, resolve)
    })
    await Promise.race([this.protocol!.deactivate(), late])
    cancel()
  }

  /** Ends the process and all it started. */
  async close(): Promise<void> {
    this.protocol?.abandon()
    await this.host?.close()
  }

  /** Streams are declared by the topology, not by the process. */
  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }

  private async nextWhenUp(): Promise<void> {
    const cancel = this.host!.clock.after(PARK_MS, () => this.protocol!.release())
    await this.protocol!.untilUp()
    cancel()
    if (this.host!.up) await this.protocol!.next()
  }
}
