import test from 'ava'
import type { Component } from '../../../../storm-compat/topology/topology.ts'
import { topologyWarnings, validateTopology } from '../../../../storm-compat/topology/validate.ts'
import { bolt, shuffle, spout, streams, topology } from './_topologies.ts'

const messages = (components: Component[], config = {}) =>
  validateTopology(topology(components, config)).map(
    ({ message, hint }) => message + (hint === undefined ? '' : ` (${hint})`),
  )

test('a sound topology has no problems, cycles and self-loops included', t => {
  const s = streams({ default: ['n'] })
  t.deepEqual(
    messages([
      spout('s'),
      bolt('a', [shuffle('s'), shuffle('b'), shuffle('a')], { streams: s }),
      bolt('b', [shuffle('a')], { streams: s }),
    ]),
    [],
  )
})

test('everything that is wrong is told at once', t => {
  const grouping = { type: 'fields', fields: ['wordd'] } as const
  const problems = validateTopology({
    name: 'a/b',
    config: { 'topology.workers': 'many', 'topology.blobstore.map': { f: {} } },
    components: [
      bolt('split', [shuffle('split2'), shuffle('split', 'lines')], {
        parallelismHint: 0,
        numTasks: 1.5,
        streams: streams({ default: ['word', 'word'], line: [], __x: [] }),
        place: 'a.yaml:7:3',
      }),
      bolt('__count', [{ component: 'split', stream: 'default', grouping }, shuffle('split')]),
      bolt('split', [], { streams: streams({ default: ['word'] }) }),
    ],
  })
  t.deepEqual(
    problems.map(({ place, message, hint }) => `${place}: ${message}${hint ? ` (${hint})` : ''}`),
    [
      'topology name: "a/b" is not a valid topology name (a name must not be empty and must not contain / . : or \\)',
      'topology: there is no spout (a topology needs at least one spout to start the flow)',
      'component split: the id "split" is taken by another bolt at a.yaml:7:3 (ids are unique over spouts and bolts)',
      'a.yaml:7:3: the parallelism of bolt "split" must be a positive integer, is 0',
      'a.yaml:7:3: the number of tasks of bolt "split" must be a positive integer, is 1.5',
      'a.yaml:7:3: stream "default" of "split" declares field "word" twice',
      'a.yaml:7:3: "__x" is not a valid stream id of "split" (ids must not be empty, and ids with __ are reserved)',
      'component __count: "__count" is not a valid id (ids with __ are reserved)',
      'component __count: "__count" subscribes twice to stream "default" of "split" (one grouping per stream: to get tuples twice, declare a second stream at the source)',
      'a.yaml:7:3: "split" subscribes to component "split2", which does not exist (did you mean "split"?)',
      'a.yaml:7:3: "split" subscribes to stream "lines" of "split", which it does not declare (there are: default)',
      'component __count: "__count" groups by field "wordd", which stream "default" of "split" does not have (did you mean "word"?)',
      'topology config: topology.workers must be an integer > 0, is "many"',
      'topology config: topology.blobstore.map cannot be honoured (blobs are not laid beside components, which would miss their files: put them into the resources folder)',
    ],
  )
})

test('a spout must not have inputs, and settings of components are checked too', t => {
  t.deepEqual(messages([spout('s', { inputs: [shuffle('s')], config: { 'topology.debug': 1 } })]), [
    'spout "s" must not have inputs, but subscribes to "s" (only bolts take inputs)',
    'topology.debug must be a boolean, is 1',
  ])
})

test('names must be usable in paths', t => {
  for (const name of ['', 'a.b', 'a:b', 'a\\b', 'a/b']) {
    t.is(validateTopology({ ...topology([spout('s')]), name }).length, 1, name)
  }
  t.deepEqual(validateTopology({ ...topology([spout('s')]), name: 'word count-1_é' }), [])
})

test('a slip of the keyboard in the number of tasks is caught', t => {
  t.regex(messages([spout('s', { numTasks: 1_000_000 })])[0]!, /1000000 tasks are more than/)
})

test('bolts that get nothing and direct streams that are misused are warnings', t => {
  const direct = { component: 's', stream: 'default', grouping: { type: 'direct' } } as const
  const wrong = topology([
    spout('s', {
      streams: new Map([
        ['default', { fields: [], direct: false }],
        ['side', { fields: [], direct: true }],
      ]),
    }),
    bolt('a', [direct]),
    bolt('b', [shuffle('s', 'side')]),
    bolt('c', [shuffle('d')], { streams: streams({ default: [] }) }),
    bolt('d', [shuffle('c')], { streams: streams({ default: [] }) }),
    bolt('e', []),
  ])
  t.deepEqual(validateTopology(wrong), [], 'Storm accepts all of it')
  t.deepEqual(
    topologyWarnings(wrong).map(w => w.message),
    [
      'bolt "c" gets nothing: no path leads to it from a spout',
      'bolt "d" gets nothing: no path leads to it from a spout',
      'bolt "e" gets nothing: no path leads to it from a spout',
      '"a" subscribes with direct grouping to stream "default" of "s", which is not declared direct',
      'stream "side" of "s" is direct, but "b" subscribes with shuffle grouping',
    ],
  )
})

test('bolts may subscribe to the streams of the system, and to no others of it', t => {
  const ticked = [spout('s'), bolt('a', [shuffle('__system', '__tick')])]
  t.deepEqual(messages(ticked), [])
  t.deepEqual(topologyWarnings(topology(ticked)), [], 'it does get something')
  t.deepEqual(messages([spout('s'), bolt('a', [shuffle('__system', '__tock')])]), [
    '"a" subscribes to stream "__tock" of "__system", which it does not declare (did you mean "__tick"?)',
  ])
})
