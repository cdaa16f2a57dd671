import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { EngineError, UserError } from 'gearpump'
import {
  type BasicBolt,
  type BasicOutputCollector,
  FailedException,
  LinearDRPCTopologyBuilder,
  type OutputFieldsDeclarer,
  type Tuple,
} from 'gearpump/storm'
import { withLocalDRPC } from 'gearpump/storm/testing'
import { reachBuilder } from '../../../../examples/drpc/reach.ts'

/** A basic bolt `[id, x] -> [id, f(x)]`; several results are several tuples. */
function mapBolt(f: (value: unknown) => unknown | Promise<unknown>): () => BasicBolt {
  return () => ({
    basic: true,
    async execute({ values: [id, value] }: Tuple, collector: BasicOutputCollector) {
      collector.emit([id, await f(value)])
    },
    declareOutputFields: (declarer: OutputFieldsDeclarer) => declarer.declare(['id', 'value']),
  })
}

test('reach: requests are joined by counting over tasks, also where a task has nothing to do', async t => {
  await withLocalDRPC(reachBuilder(), async drpc => {
    t.is(await drpc.execute('reach', 'foo.com/blog/1'), '16')
    t.is(await drpc.execute('reach', 'engineering.twitter.com/blog/5'), '14')
    t.is(await drpc.execute('reach', 'notaurl.com'), '0')
    const urls = [
      'foo.com/blog/1',
      'engineering.twitter.com/blog/5',
      'x',
      'tech.backtype.com/blog/123',
    ]
    const many = Array.from({ length: 200 }, (_, i) => drpc.execute('reach', urls[i % 4]!))
    const counted = await Promise.all(many)
    t.deepEqual([...new Set(counted.map((reach, i) => `${urls[i % 4]} ${reach}`))].sort(), [
      'engineering.twitter.com/blog/5 14',
      'foo.com/blog/1 16',
      'tech.backtype.com/blog/123 7',
      'x 0',
    ])
  })
})

test('a FailedException fails the request at once, and others go on', async t => {
  const builder = new LinearDRPCTopologyBuilder('f')
  builder.addBolt(
    mapBolt(value => value),
    2,
  )
  builder
    .addBolt(
      mapBolt(value => {
        if (value === 'bad') throw new FailedException('bad')
        return `${value}!`
      }),
      2,
    )
    .shuffleGrouping()
  await withLocalDRPC(builder, async drpc => {
    const error = await t.throwsAsync(drpc.execute('f', 'bad'), { instanceOf: EngineError })
    t.is(error?.code, 'DRPC_FAILED')
    t.is(error?.details?.type, 'FAILED_REQUEST')
    t.is(await drpc.execute('f', 'good'), 'good!')
  })
})

test('a bolt that crashes fails the requests it had seen tuples of, at once', async t => {
  let held: (() => void) | undefined
  const seen: unknown[] = []
  const builder = new LinearDRPCTopologyBuilder('f')
  builder.addBolt(() => ({
    basic: true as const,
    execute({ values: [id, args] }: Tuple, collector: BasicOutputCollector) {
      for (const part of String(args).split(' ')) collector.emit([id, part])
    },
    declareOutputFields: (declarer: OutputFieldsDeclarer) => declarer.declare(['id', 'part']),
  }))
  builder.addBolt(
    mapBolt(async part => {
      // The slow request has one tuple acked in the last bolt, and one still here.
      if (part === 'slow') await new Promise<void>(resolve => (held = resolve))
      return part
    }),
    2,
  )
  builder
    .addBolt(() => {
      const parts: unknown[] = []
      let emit: (values: readonly unknown[]) => unknown
      return {
        prepare(_conf, _context, collector, id) {
          emit = values => collector.emit([id, ...values])
        },
        execute({ values: [, part] }: Tuple) {
          if (part === 'crash') throw new Error('out of order')
          parts.push(part)
          seen.push(part)
        },
        finishBatch: () => void emit([parts.sort().join(' ')]),
        declareOutputFields: declarer => declarer.declare(['id', 'result']),
      }
    })
    .fieldsGrouping(['id'])
  await withLocalDRPC(builder, async drpc => {
    t.is(await drpc.execute('f', 'b a'), 'a b')
    const slow = drpc.execute('f', 'first slow')
    slow.catch(() => undefined)
    while (!seen.includes('first') || held === undefined) await delay(1)
    const started = performance.now()
    await t.throwsAsync(drpc.execute('f', 'crash'), { code: 'DRPC_FAILED' })
    await t.throwsAsync(slow, { code: 'DRPC_FAILED' })
    t.true(performance.now() - started < 10_000, 'long before the message time-out')
    held()
    t.is(await drpc.execute('f', 'again'), 'again')
  })
})

test('a last bolt without two fields in one stream is refused, and a topology without bolts', t => {
  const empty = new LinearDRPCTopologyBuilder('f')
  t.throws(() => empty.createRemoteTopology(), { instanceOf: UserError, message: /no bolt/ })
  const wrong = new LinearDRPCTopologyBuilder('f')
  wrong.addBolt(() => ({
    basic: true as const,
    execute: () => undefined,
    declareOutputFields: declarer => declarer.declare(['id']),
  }))
  t.throws(() => wrong.createRemoteTopology(), { message: /one stream of two fields/ })
})

test('ids and streams are those of Storm', t => {
  const { components } = reachBuilder().createRemoteTopology()
  t.deepEqual(
    components.map(({ id, parallelismHint }) => `${id} ${parallelismHint}`),
    [
      'spout 1',
      'prepare-request 1',
      'bolt0 4',
      'bolt1 12',
      'bolt2 6',
      'bolt3 3',
      'bolt4 1',
      'bolt5 1',
    ],
  )
  const coordinated = 'org.apache.storm.coordination.CoordinatedBolt/coord-stream'
  t.deepEqual(components[2]!.streams.get(coordinated), { fields: ['id', 'count'], direct: true })
  t.deepEqual(
    components[5]!.inputs.map(({ component, stream, grouping }) => [
      component,
      stream,
      grouping.type,
    ]),
    [
      ['prepare-request', 'id', 'fields'],
      ['bolt2', 'default', 'fields'],
      ['bolt2', coordinated, 'direct'],
    ],
  )
})
