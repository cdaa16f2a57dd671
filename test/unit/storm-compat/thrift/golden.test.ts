import { readFileSync } from 'node:fs'
import test from 'ava'
import { ThriftException } from '../../../../storm-compat/thrift/codec.ts'
import { FrameWriter } from '../../../../storm-compat/thrift/frame-bytes.ts'
import {
  type Methods,
  readAnswer,
  readArgs,
  readCall,
  writeCall,
  writeError,
  writeResult,
} from '../../../../storm-compat/thrift/service.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import { StormTopology } from '../../../../storm-compat/thrift/storm-topology.ts'
import { Input, Output } from '../../../../storm-compat/thrift/wire-types.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../../fixtures/thrift/${name}.bin`, import.meta.url))
const methods: Methods = nimbusMethods

for (const name of [
  'submitTopologyWithOpts',
  'killTopologyWithOpts',
  'rebalance',
  'getClusterInfo',
] as const) {
  test(`a call of ${name} by thriftpy2 is read, and written again byte for byte`, t => {
    const bytes = fixture(name)
    const call = readCall(bytes)
    t.is(call.name, name)
    t.is(call.id, 7)
    const args = readArgs(call, methods[name]!)
    t.deepEqual(writeCall(name, 7, methods[name]!, args).subarray(4), bytes)
  })
}

test('a topology of thriftpy2 keeps every input of a bolt, with its grouping', t => {
  const { topology, options, uploadedJarLocation } = readArgs(
    readCall(fixture('submitTopologyWithOpts')),
    nimbusMethods.submitTopologyWithOpts,
  )
  t.is(uploadedJarLocation, '/inbox/golden.jar')
  t.is(options?.initial_status, 'INACTIVE')
  const { inputs, streams, parallelism_hint } = topology.bolts.get('count')!.common
  t.is(parallelism_hint, 3)
  t.deepEqual(streams.get('default'), { output_fields: ['wörd'], direct: false })
  const kinds = inputs.map(([{ componentId, streamId }, { kind }]) => [componentId, streamId, kind])
  t.deepEqual(kinds, [
    ['words', 'fields', 'fields'],
    ['words', 'global', 'fields'],
    ['words', 'shuffle', 'shuffle'],
    ['words', 'all', 'all'],
    ['words', 'none', 'none'],
    ['words', 'direct', 'direct'],
    ['words', 'custom_object', 'custom_object'],
    ['words', 'custom_serialized', 'custom_serialized'],
    ['words', 'local_or_shuffle', 'local_or_shuffle'],
  ])
  const custom = inputs.find(([, { kind }]) => kind === 'custom_object')![1]
  if (custom.kind !== 'custom_object') return t.fail()
  t.deepEqual(
    custom.value.args_list.map(({ value }) => (value instanceof Uint8Array ? [...value] : value)),
    [-1, 2n ** 62n + 1n, 'größe 🐄', true, [0, 255], 0.1],
  )
})

test('answers of a server on thriftpy2 are read, and written again byte for byte', t => {
  const leader = readAnswer(fixture('getLeader.answer'), 'getLeader', 7, nimbusMethods.getLeader)
  t.deepEqual(leader, { host: 'h', port: 6627, uptime_secs: 5, isLeader: true, version: '2.8.1' })
  const info = readAnswer(
    fixture('getTopologyInfo.answer'),
    'getTopologyInfo',
    7,
    nimbusMethods.getTopologyInfo,
  )
  t.is(info.executors[0]?.stats?.emitted.get(':all-time')?.get('default'), 2n ** 53n + 1n)
  const call = { name: 'getTopologyInfo', id: 7, oneway: false, input: new Input(Buffer.alloc(0)) }
  t.deepEqual(
    writeResult(call, methods.getTopologyInfo!, info).subarray(4),
    fixture('getTopologyInfo.answer'),
  )
})

test('an exception of a server on thriftpy2 is thrown, and written again byte for byte', t => {
  const bytes = fixture('getTopologyConf.answer')
  const of = nimbusMethods.getTopologyConf
  const error = t.throws(() => readAnswer(bytes, 'getTopologyConf', 7, of), {
    instanceOf: ThriftException,
    message: 'golden is not alive',
  })
  t.is(error?.name, 'NotAliveException')
  const call = { name: 'getTopologyConf', id: 7, oneway: false, input: new Input(Buffer.alloc(0)) }
  t.deepEqual(writeError(call, methods.getTopologyConf, error).subarray(4), bytes)
})

test('a topology of a later version passes through with the fields that are not known here', t => {
  // Field 99 of the struct, a list of two strings, before its end.
  const known = Buffer.from(
    '0d0001' + '0b0c00000000' + '0d0002' + '0b0c00000000' + '0d0003' + '0b0c00000000',
    'hex',
  )
  const later = Buffer.from('0f0063' + '0b00000002' + '0000000161' + '0000000162', 'hex')
  const bytes = Buffer.concat([known, later, Buffer.of(0)])
  const topology = StormTopology.read(new Input(bytes))
  const writer = new FrameWriter()
  StormTopology.write(new Output(writer), topology)
  t.deepEqual(writer.bytes(), bytes)
})
