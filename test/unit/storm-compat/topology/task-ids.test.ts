import test from 'ava'
import { numberTasks } from '../../../../storm-compat/topology/task-ids.ts'
import { bolt, shuffle, spout, topology } from './_topologies.ts'

const numbered = (...args: Parameters<typeof topology>) =>
  numberTasks(topology(...args)).tasks.map(({ component, ids }) => `${component}:${ids.join()}`)

test('P8 tasks are numbered over the sorted component ids, __acker among them, as real Storm did', t => {
  const { taskToComponent, tasks } = numberTasks(
    topology([
      spout('spout'),
      bolt('typebolt', [shuffle('jb')]),
      bolt('jb', [shuffle('spout')], { parallelismHint: 2 }),
      bolt('sink', [shuffle('typebolt')], { parallelismHint: 2 }),
    ]),
  )
  t.deepEqual(
    [...taskToComponent],
    [
      [1, '__acker'],
      [2, 'jb'],
      [3, 'jb'],
      [4, 'sink'],
      [5, 'sink'],
      [6, 'spout'],
      [7, 'typebolt'],
    ],
  )
  t.deepEqual(tasks[1], { component: 'jb', ids: [2, 3] })
})

test('ids are sorted as Java sorts strings: by UTF-16 units, capitals before _ before small letters', t => {
  const ids = ['b', 'a10', 'a9', 'Z', '\u{1F600}', '\uFF5E', 'é']
  t.deepEqual(
    numberTasks(topology(ids.map(id => spout(id)))).tasks.map(x => x.component),
    ['Z', '__acker', 'a10', 'a9', 'b', 'é', '\u{1F600}', '\uFF5E'],
  )
})

test('there are as many ackers as executors, or as they were set, and none for 0', t => {
  t.deepEqual(numbered([spout('s')], { 'topology.workers': 3 }), ['__acker:1,2,3', 's:4'])
  t.deepEqual(numbered([spout('s')], { 'topology.acker.executors': 2 }), ['__acker:1,2', 's:3'])
  t.deepEqual(numbered([spout('s')], { 'topology.acker.executors': null }), ['__acker:1', 's:2'])
  t.deepEqual(numbered([spout('s')], { 'topology.acker.executors': 0 }), ['s:1'])
})

test('the number of tasks is the own one, else topology.tasks, else the hint, and is capped', t => {
  const conf = { 'topology.acker.executors': 0 }
  const s = spout('s', { parallelismHint: 2 })
  t.deepEqual(numbered([s], conf), ['s:1,2'])
  t.deepEqual(numbered([s], { ...conf, 'topology.tasks': 3 }), ['s:1,2,3'])
  t.deepEqual(numbered([{ ...s, config: { 'topology.tasks': 1 } }], conf), ['s:1'])
  t.deepEqual(numbered([{ ...s, numTasks: 4, config: { 'topology.tasks': 1 } }], conf), [
    's:1,2,3,4',
  ])
  t.deepEqual(numbered([{ ...s, numTasks: 4 }], { 'topology.max.task.parallelism': 2 }), [
    '__acker:1',
    's:2,3',
  ])
  t.deepEqual(
    numbered([{ ...s, config: { 'topology.max.task.parallelism': 1 } }], {
      ...conf,
      'topology.max.task.parallelism': 2,
    }),
    ['s:1'],
  )
})
