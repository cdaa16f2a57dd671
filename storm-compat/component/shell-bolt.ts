// A bolt that runs as a process of its own and speaks Storm's multi-lang protocol: a Python, Ruby, JavaScript or Go
// component, unchanged. This class ties the bolt interface to the host of the process and to the bolt protocol; if the
// process ends, its tuples fail and a new process takes over while the task goes on.
import { BoltProtocol } from '../multilang/bolt-protocol.ts'
import { queuesTaskIds } from '../multilang/child-library.ts'
import { IdsAhead } from '../multilang/ids-ahead.ts'
import { chooseSerializer } from '../multilang/serializers.ts'
import { ShellHost } from '../multilang/shell-host.ts'
import type { ShellCommand } from '../multilang/shell-process.ts'
import type { ShellDependencies } from '../multilang/shell-role.ts'
import {
  forgetAfterMs,
  heartbeats,
  maxPending,
  seldomBeats,
  taskIdsAhead,
} from '../multilang/shell-settings.ts'
import type {
  Bolt,
  Conf,
  OutputCollector,
  OutputFieldsDeclarer,
  TopologyContext,
  Tuple,
} from './api.ts'
import type { ForeseeingCollector } from './foresight.ts'

/** A collector that wants to know when the process has died: with it went what it knew of tuples that it had acked. */
export interface LossHearingCollector {
  processLost(): void
}

export class ShellBolt implements Bolt {
  private readonly shell: ShellCommand
  private readonly dependencies: Partial<ShellDependencies> | undefined
  private host: ShellHost | undefined
  private protocol: BoltProtocol | undefined

  constructor(shell: ShellCommand, dependencies?: Partial<ShellDependencies>) {
    this.shell = shell
    this.dependencies = dependencies
  }

  /** Starts the process; resolves when it has shaken hands. */
  prepare(
    conf: Conf,
    context: TopologyContext,
    collector: OutputCollector & Partial<LossHearingCollector>,
  ): Promise<void> {
    const link = new Link(() => this.host!)
    this.protocol = new BoltProtocol(link, {
      context,
      collector,
      maxPending: maxPending(conf),
      forgetAfterMs: forgetAfterMs(conf),
      heartbeats: heartbeats(conf),
      seldomBeats: seldomBeats(conf),
      ahead: this.idsAhead(conf, context, collector),
      onLost: () => collector.processLost?.(),
    })
    this.host = new ShellHost(this.protocol, {
      shell: this.shell,
      conf,
      context,
      reportError: error => collector.reportError(error),
      dependencies: this.dependencies,
    })
    return this.host.start()
  }

  private idsAhead(
    conf: Conf,
    { resources }: TopologyContext,
    collector: OutputCollector & Partial<ForeseeingCollector>,
  ): IdsAhead | undefined {
    if (!taskIdsAhead(conf) || chooseSerializer(conf, this.shell.command).name !== 'json') return
    const foresight = collector.foresight?.()
    if (foresight === undefined || !queuesTaskIds(this.shell, resources)) return undefined
    return new IdsAhead(foresight)
  }

  execute(tuple: Tuple): Promise<void> | undefined {
    return this.protocol!.execute(tuple)
  }

  /** Ends the process and all it started. What it holds stays unanswered: the task is closing. */
  async cleanup(): Promise<void> {
    this.protocol?.release()
    await this.host?.close()
  }

  /** Streams are declared by the topology, not by the process. */
  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}

// The host and the protocol know each other; the protocol sees this much of the host.
class Link {
  private readonly host: () => ShellHost

  constructor(host: () => ShellHost) {
    this.host = host
  }

  get up() {
    return this.host().up
  }

  get writer() {
    return this.host().writer
  }

  get serializer() {
    return this.host().serializer
  }

  get unwrittenBytes() {
    return this.host().unwrittenBytes
  }

  nowMs(): number {
    return this.host().clock.nowMs()
  }

  flushSoon(): void {
    this.host().flushSoon()
  }

  pause(paused: boolean): void {
    this.host().pause(paused)
  }
}
