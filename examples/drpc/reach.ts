// Storm's reach: how many people may have seen a URL on Twitter, asked for by DRPC. Four bolts in a row: who tweeted the URL, who
// follows those, each person once, and how many they are. The two in the middle are spread over tasks; the last two work on all
// tuples of a request and are told when there will be no more. Of the graph of people only a sample is here.
import {
  type BasicBolt,
  type BasicOutputCollector,
  type BatchBolt,
  type BatchOutputCollector,
  type Conf,
  LinearDRPCTopologyBuilder,
  type OutputFieldsDeclarer,
  type TopologyContext,
  type Tuple,
} from 'gearpump/storm'

const TWEETERS: Readonly<Record<string, string>> = {
  'foo.com/blog/1': 'sally bob tim george nathan',
  'engineering.twitter.com/blog/5': 'adam david sally nathan',
  'tech.backtype.com/blog/123': 'tim mike john',
}

const FOLLOWERS: Readonly<Record<string, string>> = {
  sally: 'bob tim alice adam jim chris jai',
  bob: 'sally nathan jim mary david vivian',
  tim: 'alex',
  nathan: 'sally bob adam harry chris vivian emily jordan',
  adam: 'david carissa',
  mike: 'john bob',
  john: 'alice nathan jim mike bob',
}

/** The names that a table has for a key; none if it does not know it. */
function namesIn(table: Readonly<Record<string, string>>, key: unknown): readonly string[] {
  return Object.hasOwn(table, String(key)) ? table[String(key)]!.split(' ') : []
}

export class GetTweeters implements BasicBolt {
  readonly basic = true

  execute({ values: [id, url] }: Tuple, collector: BasicOutputCollector): void {
    for (const tweeter of namesIn(TWEETERS, url)) collector.emit([id, tweeter])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['id', 'tweeter'])
  }
}

export class GetFollowers implements BasicBolt {
  readonly basic = true

  execute({ values: [id, tweeter] }: Tuple, collector: BasicOutputCollector): void {
    for (const follower of namesIn(FOLLOWERS, tweeter)) collector.emit([id, follower])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['id', 'follower'])
  }
}

/** Counts each follower once. One of these per request and task; a follower always comes to the same task. */
export class PartialUniquer implements BatchBolt {
  readonly #followers = new Set<unknown>()
  #collector!: BatchOutputCollector
  #id: unknown

  prepare(
    _conf: Conf,
    _context: TopologyContext,
    collector: BatchOutputCollector,
    id: unknown,
  ): void {
    this.#collector = collector
    this.#id = id
  }

  execute({ values }: Tuple): void {
    this.#followers.add(values[1])
  }

  finishBatch(): void {
    this.#collector.emit([this.#id, this.#followers.size])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['id', 'partial-count'])
  }
}

/** Adds up the parts of a request. */
export class CountAggregator implements BatchBolt {
  #count = 0
  #collector!: BatchOutputCollector
  #id: unknown

  prepare(
    _conf: Conf,
    _context: TopologyContext,
    collector: BatchOutputCollector,
    id: unknown,
  ): void {
    this.#collector = collector
    this.#id = id
  }

  execute({ values }: Tuple): void {
    this.#count += Number(values[1])
  }

  finishBatch(): void {
    this.#collector.emit([this.#id, this.#count])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['id', 'reach'])
  }
}

/** The function `reach`. */
export function reachBuilder(): LinearDRPCTopologyBuilder {
  const builder = new LinearDRPCTopologyBuilder('reach')
  builder.addBolt(() => new GetTweeters(), 4)
  builder.addBolt(() => new GetFollowers(), 12).shuffleGrouping()
  builder.addBolt(() => new PartialUniquer(), 6).fieldsGrouping(['id', 'follower'])
  builder.addBolt(() => new CountAggregator(), 3).fieldsGrouping(['id'])
  return builder
}

export default reachBuilder().createRemoteTopology('reach', { 'drpc.servers': ['localhost'] })
