// Storm's LinearDRPCTopologyBuilder: a function as a row of bolts, each fed by the one before. The first value of every tuple is the
// id of the request; the last bolt emits `[id, result]`. What else there is (spout, ids, counting, joining, returning) is put around
// them, under the ids that Storm gives: spout, prepare-request, bolt0, bolt1, … .
import { type Problem, UserError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { type BoltDeclarer, TopologyBuilder } from '../topology/builder.ts'
import { askOutputs } from '../topology/outputs.ts'
import type { CustomGrouping, Grouping, StormTopology } from '../topology/topology.ts'
import type { FinishedCallback } from './batch-bolt.ts'
import { COORDINATED_STREAM, CoordinatedBolt } from './coordinated-bolt.ts'
import { ID_STREAM, JoinResult, PrepareRequest, RETURN_STREAM } from './request-bolts.ts'
import { returnResults } from './return-results.ts'
import { type AnyBolt, richBolt } from './rich-bolt.ts'
import { drpcSpout, type LocalServer } from './spout.ts'

const SPOUT = 'spout'
const PREPARE = 'prepare-request'
const boltId = (index: number) => `bolt${index}`

interface Feed {
  readonly stream: string | undefined
  readonly grouping: Grouping
}

/** How a bolt is fed by the one before it; `none` if nothing is said. The stream may be left out: it is `default` then. */
export class LinearInputDeclarer {
  readonly #feeds: Feed[] = []
  readonly #config: Record<string, unknown> = {}

  shuffleGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'shuffle' })
  }

  localOrShuffleGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'localOrShuffle' })
  }

  noneGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'none' })
  }

  allGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'all' })
  }

  globalGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'global' })
  }

  directGrouping(stream?: string): this {
    return this.#feed(stream, { type: 'direct' })
  }

  fieldsGrouping(fields: readonly string[], stream?: string): this {
    return this.#feed(stream, { type: 'fields', fields: [...fields] })
  }

  partialKeyGrouping(fields: readonly string[], stream?: string): this {
    return this.#feed(stream, { type: 'partialKey', fields: [...fields] })
  }

  customGrouping(create: () => CustomGrouping, stream?: string): this {
    return this.#feed(stream, { type: 'custom', create })
  }

  addConfigurations(conf: Conf): this {
    Object.assign(this.#config, conf)
    return this
  }

  #feed(stream: string | undefined, grouping: Grouping): this {
    this.#feeds.push({ stream, grouping })
    return this
  }

  /** What was declared; read by the builder. */
  declared(): { feeds: readonly Feed[]; config: Conf } {
    return { feeds: [...this.#feeds], config: { ...this.#config } }
  }
}

interface Step {
  readonly bolt: AnyBolt
  readonly parallelism: number
  readonly declarer: LinearInputDeclarer
}

/**
 * @example
 * const builder = new LinearDRPCTopologyBuilder('reach')
 * builder.addBolt(() => new GetTweeters(), 4)
 * builder.addBolt(() => new GetFollowers(), 12).shuffleGrouping()
 * builder.addBolt(() => new PartialUniquer(), 6).fieldsGrouping(['id', 'follower'])
 * builder.addBolt(() => new CountAggregator(), 3).fieldsGrouping(['id'])
 * const topology = builder.createRemoteTopology('reach-topology')
 */
export class LinearDRPCTopologyBuilder {
  readonly #functionName: string
  readonly #steps: Step[] = []

  constructor(functionName: string) {
    this.#functionName = functionName
  }

  /** A rich, basic or batch bolt (a factory), or a shell bolt. */
  addBolt(bolt: AnyBolt, parallelism = 1): LinearInputDeclarer {
    const declarer = new LinearInputDeclarer()
    this.#steps.push({ bolt, parallelism, declarer })
    return declarer
  }

  /** A topology that answers the DRPC servers of `drpc.servers`. Throws a UserError. */
  createRemoteTopology(name = this.#functionName, config: Conf = {}): StormTopology {
    return this.#create(name, config, undefined)
  }

  /** A topology that answers a server in this process. */
  createLocalTopology(
    drpc: LocalServer,
    name = this.#functionName,
    config: Conf = {},
  ): StormTopology {
    return this.#create(name, config, drpc)
  }

  #create(name: string, config: Conf, local: LocalServer | undefined): StormTopology {
    const result = this.#resultStream(name)
    const builder = new TopologyBuilder()
    builder.setSpout(SPOUT, drpcSpout(this.#functionName, local))
    builder.setBolt(PREPARE, () => new PrepareRequest()).noneGrouping(SPOUT)
    for (const [index, step] of this.#steps.entries()) this.#addStep(builder, index, step)
    const count = this.#steps.length
    builder
      .setBolt(boltId(count), () => new JoinResult(PREPARE))
      .fieldsGrouping(boltId(count - 1), result.stream, [result.idField])
      .fieldsGrouping(PREPARE, RETURN_STREAM, ['request'])
    builder.setBolt(boltId(count + 1), returnResults(local)).noneGrouping(boltId(count))
    return builder.createTopology(name, config)
  }

  #addStep(builder: TopologyBuilder, index: number, { bolt, parallelism, declarer }: Step): void {
    const before = index === 0 ? PREPARE : boltId(index - 1)
    const isLast = index === this.#steps.length - 1
    const idStream =
      isLast && hearsTheEnd(bolt) ? { component: PREPARE, stream: ID_STREAM } : undefined
    // The first bolt gets a request as one tuple: one of its tasks has it, and needs no counts.
    const counts = index === 1 ? 'single' : 'all'
    const sources = new Map(index === 0 ? [] : [[before, counts] as const])
    const create = () => new CoordinatedBolt(richBolt(bolt), { sources, idStream })
    const { feeds, config } = declarer.declared()
    const declared: BoltDeclarer = builder
      .setBolt(boltId(index), create, parallelism)
      .addConfigurations(config)
    if (idStream !== undefined) declared.fieldsGrouping(PREPARE, ID_STREAM, ['request'])
    const fed: readonly Feed[] =
      feeds.length > 0 ? feeds : [{ stream: undefined, grouping: { type: 'none' } }]
    for (const { stream, grouping } of fed) declared.grouping(before, stream, grouping)
    if (index > 0) declared.directGrouping(before, COORDINATED_STREAM)
  }

  // The one stream of the last bolt, of which the results come.
  #resultStream(name: string): { stream: string; idField: string } {
    const problems: Problem[] = []
    const place = `linear DRPC topology "${name}"`
    const last = this.#steps.at(-1)
    if (last === undefined) problems.push({ place, message: 'it has no bolt', hint: 'addBolt' })
    else {
      const streams = [...askOutputs(richBolt(last.bolt)).streams]
      const [[stream, { fields }] = ['', { fields: [] }]] = streams
      if (streams.length === 1 && fields.length === 2) return { stream, idField: fields[0]! }
      problems.push({
        place: `${place}, last bolt`,
        message: `it declares ${streams.length} streams, with ${fields.length} fields`,
        hint: 'it must declare one stream of two fields: the id of the request, and the result',
      })
    }
    throw new UserError('TOPOLOGY_INVALID', place, problems)
  }
}

function hearsTheEnd(bolt: AnyBolt): boolean {
  return typeof (richBolt(bolt) as Partial<FinishedCallback>).finishedId === 'function'
}
