// Storm's DRPC classes in Flux files, run against a DRPC server on free ports.
import { tmpdir } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import { connect } from 'gearpump'
import { loadFlux, startDrpc, translate } from 'gearpump/storm'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { drpcMethods } from '../../../../storm-compat/thrift/storm-drpc.ts'
import { fluxFolder } from './_flux-folder.ts'

const COORDINATED = 'org.apache.storm.coordination.CoordinatedBolt'

/** What LinearDRPCTopologyBuilder makes of two bolts, the second of which counts; written out, and with old names in it. */
const LINEAR = `
name: linear
components:
  - { id: split, className: ./bolts.mjs#Split }
  - { id: count, className: ./bolts.mjs#Count }
  - { id: fair, className: org.apache.storm.drpc.KeyedFairBolt, constructorArgs: [{ ref: count }] }
  - { id: single, className: '${COORDINATED}$SourceArgs', factory: single }
  - id: ids
    className: '${COORDINATED}$IdStreamSpec'
    factory: makeDetectSpec
    factoryArgs: [prepare, id]
spouts:
  - { id: drpc, className: backtype.storm.drpc.DRPCSpout, constructorArgs: [words] }
bolts:
  - { id: prepare, className: org.apache.storm.drpc.PrepareRequest }
  - { id: bolt0, className: ${COORDINATED}, constructorArgs: [{ ref: split }] }
  - id: bolt1
    className: ${COORDINATED}
    constructorArgs: [{ ref: fair }, bolt0, { ref: single }, { ref: ids }]
    parallelism: 2
  - { id: join, className: org.apache.storm.drpc.JoinResult, constructorArgs: [prepare] }
  - { id: return, className: backtype.storm.drpc.ReturnResults }
streams:
  - { from: drpc, to: prepare, grouping: { type: NONE } }
  - { from: prepare, to: bolt0, grouping: { type: SHUFFLE } }
  - { from: bolt0, to: bolt1, grouping: { type: FIELDS, args: [id] } }
  - { from: bolt0, to: bolt1, grouping: { type: DIRECT, streamId: ${COORDINATED}/coord-stream } }
  - { from: prepare, to: bolt1, grouping: { type: FIELDS, args: [request], streamId: id } }
  - { from: bolt1, to: join, grouping: { type: FIELDS, args: [id] } }
  - { from: prepare, to: join, grouping: { type: FIELDS, args: [request], streamId: ret } }
  - { from: join, to: return, grouping: { type: SHUFFLE } }
`

const BOLTS = `
export class Split {
  basic = true
  execute({ values: [id, text] }, collector) {
    for (const word of text.split(' ')) collector.emit([id, word])
  }
  declareOutputFields(declarer) { declarer.declare(['id', 'word']) }
}
export class Count {
  counts = new Map()
  prepare(conf, context, collector) { this.collector = collector }
  execute(tuple) {
    this.counts.set(tuple.values[0], (this.counts.get(tuple.values[0]) ?? 0) + 1)
    this.collector.ack(tuple)
  }
  finishedId(id) { this.collector.emit([id, this.counts.get(id) ?? 0]) }
  declareOutputFields(declarer) { declarer.declare(['id', 'count']) }
}
`

/** Runs a file, and calls the function of its DRPCSpout. */
async function called(t: ExecutionContext, file: string, ...args: readonly string[]) {
  const drpc = await startDrpc({ port: 0, invocationsPort: 0 })
  t.teardown(() => drpc.close())
  const overrides = { 'drpc.servers': ['127.0.0.1'], 'drpc.invocations.port': drpc.invocationsPort }
  const { topology } = await loadFlux(file, { overrides })
  const gear = await connect()
  t.teardown(() => gear.close())
  const places = { resources: tmpdir(), pidDir: tmpdir(), startedMs: Date.now() }
  await gear.submit(translate(topology, places).application)
  const host = '127.0.0.1'
  const client = await connectThrift({ methods: drpcMethods, host, port: drpc.port })
  t.teardown(() => client.close())
  const answers: string[] = []
  for (const funcArgs of args) {
    answers.push(await client.call('execute', { functionName: 'words', funcArgs }))
  }
  return answers
}

test('a linear DRPC topology written out in Flux answers', async t => {
  const file = fluxFolder(t, { 'linear.yaml': LINEAR, 'bolts.mjs': BOLTS })
  t.deepEqual(await called(t, file, 'a b c', 'd'), ['3', '1'])
})

test('mistakes in the use of the classes are told with their places', async t => {
  const wrong = LINEAR.replace('factory: single', 'factory: some')
    .replace('constructorArgs: [words]', 'constructorArgs: []')
    .replace('[{ ref: split }]', '[split]')
  const file = fluxFolder(t, { 'wrong.yaml': wrong, 'bolts.mjs': BOLTS })
  const error = await t.throwsAsync(loadFlux(file))
  t.regex(error!.message, /SourceArgs has no factory "some"/)
  t.regex(error!.message, /DRPCSpout does not take 0 arguments/)
  t.regex(error!.message, /this is no bolt/)
})
