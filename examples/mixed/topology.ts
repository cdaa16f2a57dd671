// A topology in several languages, by TopologyBuilder: TypeScript reads lines, Python splits them, Node or Ruby counts
// the words in several processes, TypeScript reports. Only the TypeScript parts share a process with the engine.
// Run it: gear run examples/mixed/topology.ts --until-drained -- --counter ruby
import { program, UserError } from 'gearpump'
import { shellBolt, TopologyBuilder } from 'gearpump/storm'
import { LineSpout } from '../python-word-count/line-spout.ts'
import { ReportBolt } from './report-bolt.ts'

const COUNTERS: Readonly<Record<string, readonly string[]>> = {
  node: ['node', 'count.mjs'],
  ruby: ['ruby', 'count.rb'],
}

interface Options {
  readonly counter: string
  readonly split: number
  readonly count: number
  readonly lines: number
  readonly top: number
}

export function mixed({ counter, split, count, lines, top }: Options) {
  const command = Object.hasOwn(COUNTERS, counter) ? COUNTERS[counter] : undefined
  if (command === undefined) {
    const hint = `there are ${Object.keys(COUNTERS).join(' and ')}`
    const message = `nothing counts in "${counter}"`
    throw new UserError('BAD_INPUT', 'topology "mixed"', [{ place: '--counter', message, hint }])
  }
  const builder = new TopologyBuilder()
  builder.setSpout('lines', () => new LineSpout('../data/first-folio.txt.gz', lines))
  builder
    .setBolt('split', shellBolt(['python3', 'split.py'], ['word']), split)
    .shuffleGrouping('lines')
  builder
    .setBolt('count', shellBolt(command, ['word', 'count']), count)
    .fieldsGrouping('split', ['word'])
  builder.setBolt('report', () => new ReportBolt(top)).globalGrouping('count')
  return builder.createTopology('mixed', { 'topology.max.spout.pending': 500 })
}

export default program({
  args: {
    counter: { default: 'node', description: 'language of the counting bolt: node or ruby' },
    split: { type: 'number', default: 2, description: 'Python processes' },
    count: { type: 'number', default: 3, description: 'Node or Ruby processes' },
    lines: { type: 'number', default: 5000, description: 'lines of the text to read' },
    top: {
      type: 'number',
      default: 10,
      description: 'how many of the most frequent words to show',
    },
  },
  build: mixed,
})
