// Any kind of bolt as a rich one, which acks and fails by itself: what CoordinatedBolt and KeyedFairBolt wrap. Basic bolts get
// Storm's BasicBoltExecutor around them, batch bolts theirs, and a description of a shell component the process itself.
import {
  type BasicBolt,
  type BasicOutputCollector,
  type Bolt,
  type Conf,
  FailedException,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type TopologyContext,
  type Tuple,
} from '../component/api.ts'
import { ShellBolt } from '../component/shell-bolt.ts'
import { childModules } from '../multilang/own-resources.ts'
import { isShell, type ShellDescription } from '../topology/shell.ts'
import { type BatchBolt, BatchBoltExecutor, isBatchBolt } from './batch-bolt.ts'

/** What may stand where a bolt of a linear DRPC topology is wanted. */
export type AnyBolt = (() => Bolt | BasicBolt | BatchBolt) | ShellDescription

/** One rich bolt of it. */
export function richBolt(what: AnyBolt): Bolt {
  if (isShell(what)) return new DescribedShellBolt(what)
  const made = what()
  if (isBatchBolt(made)) return new BatchBoltExecutor(what as () => BatchBolt)
  return isBasic(made) ? new BasicBoltExecutor(made) : made
}

function isBasic(bolt: Bolt | BasicBolt): bolt is BasicBolt {
  return (bolt as Partial<BasicBolt>).basic === true
}

class BasicBoltExecutor implements Bolt {
  readonly #bolt: BasicBolt
  #collector!: OutputCollector

  constructor(bolt: BasicBolt) {
    this.#bolt = bolt
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): void | Promise<void> {
    this.#collector = collector
    return this.#bolt.prepare?.(conf, context)
  }

  execute(tuple: Tuple): void | Promise<void> {
    try {
      const result = this.#bolt.execute(tuple, this.#anchoredTo(tuple))
      if (result === undefined) this.#collector.ack(tuple)
      else {
        return result.then(
          () => this.#collector.ack(tuple),
          (error: unknown) => this.#failed(tuple, error),
        )
      }
    } catch (error) {
      this.#failed(tuple, error)
    }
    return undefined
  }

  #failed(tuple: Tuple, error: unknown): void {
    if (!(error instanceof FailedException)) throw error
    this.#collector.fail(tuple)
  }

  #anchoredTo(tuple: Tuple): BasicOutputCollector {
    const collector = this.#collector
    return {
      emit: (values, stream) => collector.emit(values, tuple, stream),
      emitDirect: (task, values, stream) => collector.emitDirect(task, values, tuple, stream),
      reportError: error => collector.reportError(error),
    }
  }

  cleanup(): void | Promise<void> {
    return this.#bolt.cleanup?.()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    this.#bolt.declareOutputFields(declarer)
  }

  getComponentConfiguration(): Conf {
    return this.#bolt.getComponentConfiguration?.() ?? {}
  }
}

/** The process of a description; what its environment is to be, is known when it is prepared. */
class DescribedShellBolt implements Bolt {
  readonly #shell: ShellDescription
  #bolt: ShellBolt | undefined

  constructor(shell: ShellDescription) {
    this.#shell = shell
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): Promise<void> {
    const { command, env, changeChildCwd } = this.#shell
    this.#bolt = new ShellBolt({ command, changeChildCwd, env: childModules(conf, command, env) })
    return this.#bolt.prepare(conf, context, collector)
  }

  execute(tuple: Tuple): Promise<void> | undefined {
    return this.#bolt!.execute(tuple)
  }

  async cleanup(): Promise<void> {
    await this.#bolt?.cleanup()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    for (const [stream, { fields, direct }] of this.#shell.streams) {
      declarer.declareStream(stream, fields, direct)
    }
  }

  getComponentConfiguration(): Conf {
    return this.#shell.config
  }
}
