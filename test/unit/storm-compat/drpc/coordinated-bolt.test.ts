// One task of a coordinated bolt, with a collector that notes what it is told.
import test from 'ava'
import {
  type Bolt,
  CoordinatedBolt,
  type CoordinatedOptions,
  FailedException,
  KeyedFairBolt,
  type OutputCollector,
  type TopologyContext,
  type Tuple,
  type Values,
} from 'gearpump/storm'
import { COORDINATED_STREAM } from '../../../../storm-compat/drpc/coordinated-bolt.ts'

const TARGETS = [7, 8]

function tuple(source: string, stream: string, ...values: unknown[]): Tuple {
  const of = { sourceComponent: source, sourceStream: stream, sourceTask: 1, fields: [] }
  return { ...of, values, get: () => undefined }
}

interface Delegate {
  readonly execute?: (tuple: Tuple, collector: OutputCollector) => void
  readonly finishedId?: (id: unknown, collector: OutputCollector) => void | Promise<void>
}

/** `up` has two tasks and tells counts; what happens is noted in words. */
function start(delegate: Delegate = {}, options: CoordinatedOptions = {}) {
  const notes: string[] = []
  let inner!: OutputCollector & { processLost(): void }
  let nowMs = 0
  const bolt: Bolt & { finishedId?(id: unknown): void | Promise<void> } = {
    prepare: (_conf, _context, collector) => {
      inner = collector as typeof inner
    },
    execute: one =>
      delegate.execute === undefined ? inner.ack(one) : delegate.execute(one, inner),
    declareOutputFields: declarer => declarer.declare(['id', 'x']),
    finishedId: id => {
      notes.push(`finished ${id}`)
      return delegate.finishedId?.(id, inner)
    },
  }
  const shown = (one: Tuple) => `${one.sourceStream}:${one.values.join(',')}`
  const collector: OutputCollector = {
    emit: (values: Values, _anchors, stream = 'default') => {
      notes.push(`emit ${stream} ${values.join(',')}`)
      return [7]
    },
    emitDirect: (task, values, _anchors, stream) => {
      if (stream === COORDINATED_STREAM) notes.push(`tell ${task} ${values.join('x')}`)
    },
    ack: one => notes.push(`ack ${shown(one)}`),
    fail: one => notes.push(`fail ${shown(one)}`),
    resetTimeout: () => undefined,
    reportError: error => notes.push(`error ${error.message}`),
    ready: () => undefined,
  }
  const context = {
    streams: new Map(),
    targets: new Map([[COORDINATED_STREAM, new Map([['down', { type: 'DIRECT' }]])]]),
    componentTasks: (id: string) => (id === 'down' ? TARGETS : [1, 2]),
  } as unknown as TopologyContext
  const coordinated = new CoordinatedBolt(bolt, {
    sources: new Map([['up', 'all']]),
    nowMs: () => nowMs,
    ...options,
  })
  void coordinated.prepare({ 'topology.message.timeout.secs': 30 }, context, collector)
  return {
    coordinated,
    notes,
    inner: () => inner,
    give: (id: unknown, ...rest: unknown[]) =>
      coordinated.execute(tuple('up', 'default', id, ...rest)),
    tell: (id: unknown, count: number) =>
      coordinated.execute(tuple('up', COORDINATED_STREAM, id, count)),
    move: (ms: number) => {
      nowMs += ms
    },
  }
}

test('a request is finished when all tasks have told their counts and as many tuples were acked, in any order', t => {
  for (const steps of ['ccdd', 'dcdc', 'ddcc', 'cddc']) {
    const { give, tell, notes } = start({
      execute: (one, collector) => {
        collector.emit([one.values[0], 'y'], one)
        collector.ack(one)
      },
    })
    for (const step of steps) {
      t.false(
        notes.some(note => note.startsWith('finished')),
        steps,
      )
      if (step === 'c') void tell(5, 1)
      else void give(5)
    }
    t.is(notes.filter(note => note === 'finished 5').length, 1, steps)
    // Both tuples went to task 7.
    t.deepEqual(
      notes.filter(note => note.startsWith('tell')),
      ['tell 7 5x2', 'tell 8 5x0'],
    )
    t.is(notes.filter(note => note.startsWith('ack')).length, 4, steps)
  }
})

test('a task that gets no tuple of a request finishes it by counts of 0; ids are equal as any kind of number', t => {
  const { tell, notes } = start()
  void tell(5, 0)
  void tell(5n, 0)
  t.true(notes.includes('finished 5'))
})

test('with an id stream a request is not finished before its id has come', t => {
  const idStream = { component: 'prepare', stream: 'id' }
  const { coordinated, give, tell, notes } = start({}, { idStream })
  void give(5)
  void tell(5, 1)
  void tell(5, 0)
  t.deepEqual(notes, [])
  void coordinated.execute(tuple('prepare', 'id', 5))
  t.is(notes[0], 'finished 5')
})

test('a task that has no part in a request keeps nothing of it open, and finishes it if its id comes all the same', t => {
  const ids = { component: 'ids', stream: 'ids' }
  const task = start({}, { idStream: ids })
  task.tell(1, 0)
  t.deepEqual(task.notes, [])
  task.tell(1, 0)
  const acked = `ack ${COORDINATED_STREAM}:1,0`
  t.deepEqual(task.notes.splice(0), [acked, acked])
  void task.coordinated.execute(tuple('ids', 'ids', 1))
  t.deepEqual(task.notes, ['finished 1', 'tell 7 1x0', 'tell 8 1x0', 'ack ids:1'])
})

test('a failed tuple fails all that is held of its request, and what comes later; others go on', t => {
  const { give, tell, notes, inner } = start({
    execute: (one, collector) => {
      if (one.values[1] === 'bad') collector.fail(one)
      else if (one.values[1] === 'worse') throw new FailedException('worse')
      else collector.ack(one)
    },
  })
  void give(5, 'a')
  void tell(5, 3)
  void give(5, 'bad')
  t.deepEqual(notes.sort(), [
    'fail default:5,a',
    'fail default:5,bad',
    `fail ${COORDINATED_STREAM}:5,3`,
  ])
  notes.length = 0
  void give(5, 'c')
  t.deepEqual(notes, ['fail default:5,c'])
  notes.length = 0
  void give(6, 'worse')
  t.deepEqual(notes, ['fail default:6,worse'])
  t.truthy(inner())
})

test('one tuple of a request stays open until the end, and fails when the process of the bolt is lost', t => {
  const { give, notes, inner } = start()
  void give(5, 'a')
  void give(5, 'b')
  void give(6, 'c')
  t.deepEqual(notes, ['ack default:5,b'])
  notes.length = 0
  inner().processLost()
  t.deepEqual(notes, ['fail default:5,a', 'fail default:6,c'])
})

test('what finishing throws fails the request; a promise is waited for', async t => {
  let end: () => void = () => undefined
  const { tell, notes } = start({
    finishedId: id => {
      if (id === 5) throw new FailedException('no')
      if (id === 6) throw new Error('out of order')
      return new Promise<void>(resolve => {
        end = resolve
      })
    },
  })
  for (const id of [5, 6, 7]) {
    void tell(id, 0)
    void tell(id, 0)
  }
  const told = () => notes.filter(note => note.startsWith('tell'))
  t.deepEqual(
    notes.filter(note => /^(error|fail)/.test(note)).map(note => note.replace(/ .*:/, ' ')),
    ['fail 5,0', 'fail 5,0', 'error out of order', 'fail 6,0', 'fail 6,0'],
  )
  t.deepEqual(told(), [])
  end()
  await Promise.resolve()
  await Promise.resolve()
  t.deepEqual(told(), ['tell 7 7x0', 'tell 8 7x0'])
})

test('a request that never comes to its end is failed and forgotten after the message time-out', t => {
  const { give, notes, move } = start()
  void give(5, 'a')
  move(30_000)
  void give(6, 'b')
  t.deepEqual(notes, [])
  move(30_000)
  void give(7, 'c')
  t.deepEqual(notes, ['fail default:5,a'])
})

test('ticks pass through, and are counted for no request', t => {
  const { coordinated, notes } = start()
  void coordinated.execute(tuple('__system', '__tick', 5))
  t.deepEqual(notes, ['ack __tick:5'])
})

test('a keyed fair bolt serves requests in turn', async t => {
  const served: unknown[] = []
  const fair = new KeyedFairBolt({
    prepare: () => undefined,
    execute: one => void served.push(one.values.join('')),
    declareOutputFields: () => undefined,
  })
  void fair.prepare({}, {} as TopologyContext, {} as OutputCollector)
  for (const values of [
    ['a', 1],
    ['a', 2],
    ['a', 3],
    ['b', 1],
    ['c', 1],
    ['b', 2],
  ]) {
    void fair.execute(tuple('up', 'default', ...values))
  }
  while (served.length < 6) await Promise.resolve()
  t.deepEqual(served, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})
