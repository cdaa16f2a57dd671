// The file sink alone, on files in memory: when inputs are let go, what a crash leaves, and a disk that refuses.
import test from 'ava'
import type { UserError } from 'gearpump'
import { type FileSinkOptions, fileSink } from 'gearpump/files'
import { testTask } from 'gearpump/testing'
import { MemoryFiles } from './_memory-files.ts'

const PATH = 'out/{processor}-{index}-{sequence}.log'
const OPEN = 'out/tested-0-000001.log.open'
const FIRST = 'out/tested-0-000001.log'

async function started(files: MemoryFiles, options: Partial<FileSinkOptions> = {}, timeoutMs = 0) {
  const sink = fileSink(
    { path: PATH, flushAfterMs: 1, ...options },
    { fileSystem: files.process() },
  )
  return testTask<unknown, never>(sink(), { profile: { timeoutMs } })
}

test('an input is let go when its line is on the disk and not before', async t => {
  const files = new MemoryFiles()
  const sink = await started(files)
  const seen: string[] = []
  files.fault = what => {
    if (what === 'write' || what === 'sync') seen.push(`${what} ${inputs.map(one => one.state)}`)
  }
  const inputs = ['a', 'b'].map(line => sink.push(line))
  t.deepEqual(
    inputs.map(one => one.state),
    ['held', 'held'],
  )
  await sink.advance(5)
  t.deepEqual(
    inputs.map(one => one.state),
    ['released', 'released'],
  )
  t.deepEqual(seen, ['write held,held', 'sync held,held'])
  t.is(files.text(OPEN), 'a\nb\n')
  await sink.stop()
  t.deepEqual(files.names(), [FIRST])
  t.is(files.handles, 0)
})

test('what comes while a batch is written goes with the next one: few syncs, and the order stays', async t => {
  const files = new MemoryFiles()
  const sink = await started(files)
  for (let i = 0; i < 1000; i++) {
    sink.push(i)
    if (i % 100 === 0) await sink.advance(2)
  }
  await sink.advance(5)
  t.is(files.text(OPEN), Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(''))
  t.true(files.counts.syncs <= 12, `${files.counts.syncs} syncs`)
  t.true(sink.inputs.every(one => one.state === 'released'))
})

test('texts and bytes are written as they are, other things as JSON, or as told', async t => {
  const files = new MemoryFiles()
  const sink = await started(files)
  for (const value of ['text', Buffer.from('bytes'), { a: 1 }, [1, null], 7]) sink.push(value)
  const nothing = sink.push(undefined)
  await sink.advance(5)
  t.is(files.text(OPEN), 'text\nbytes\n{"a":1}\n[1,null]\n7\n')
  t.is(nothing.state, 'failed')
  t.regex(sink.errors[0]!.message, /undefined has no line/)
  const told = await started(files, {
    path: 'out/other-{index}-{sequence}',
    encode: value => `<${value}>`,
  })
  told.push('x')
  await told.advance(5)
  t.is(files.text('out/other-0-000001.open'), '<x>\n')
})

test('a file that is large enough, or old enough, is finished and the next one begun', async t => {
  const files = new MemoryFiles()
  const sink = await started(files, { rollBytes: 10, rollAfterMs: 1000 })
  for (const line of ['12345', '67890', 'next']) {
    sink.push(line)
    await sink.advance(5)
  }
  t.is(files.text(FIRST), '12345\n67890\n')
  t.is(files.text('out/tested-0-000002.log.open'), 'next\n')
  await sink.advance(1000)
  t.is(files.text('out/tested-0-000002.log'), 'next\n')
  await sink.advance(10_000)
  t.is(files.names().length, 2)
  t.is(files.handles, 0)
})

test('a crash between write and sync leaves nothing that was let go missing; the next run cuts a torn line and writes over nothing', async t => {
  for (const kept of [0, 1, 6, 9, 100]) {
    const files = new MemoryFiles()
    const sink = await started(files)
    sink.push('done')
    await sink.advance(5)
    files.fault = what => {
      if (what === 'sync') throw new Error('the machine stops here')
    }
    const lost = [sink.push('second'), sink.push('third')]
    await sink.advance(5)
    t.deepEqual(
      lost.map(one => one.state),
      ['held', 'held'],
    )
    files.fault = () => undefined
    files.crash(kept)
    const again = await started(files)
    again.push('fourth')
    await again.advance(5)
    await again.stop()
    const text = files.text(FIRST)
    t.true(text.startsWith('done\n') && text.endsWith('\n'), JSON.stringify(text))
    t.true('done\nsecond\nthird\n'.startsWith(text), JSON.stringify(text))
    t.is(files.text('out/tested-0-000002.log'), 'fourth\n')
    t.is(files.names().length, 2)
  }
})

test('files of other tasks and other names are left alone, and no name is used again', async t => {
  const files = new MemoryFiles()
  const others = [
    'out/tested-1-000001.log.open',
    'out/tested-0-x.log.open',
    'out/tested-0-000007.log',
  ]
  for (const name of others) files.put(name, 'theirs')
  const sink = await started(files)
  sink.push('mine')
  await sink.advance(5)
  await sink.stop()
  for (const name of others) t.is(files.text(name), 'theirs')
  t.is(files.text('out/tested-0-000008.log'), 'mine\n')
})

test('a name that was taken meanwhile is not written over', async t => {
  const files = new MemoryFiles()
  const sink = await started(files)
  sink.push('mine')
  await sink.advance(5)
  files.put(FIRST, 'theirs')
  await sink.stop()
  t.is(files.text(FIRST), 'theirs')
  t.is(files.text('out/tested-0-000002.log'), 'mine\n')
})

test('a full disk parks the task, says so, loses and doubles nothing, and goes on when there is room', async t => {
  const files = new MemoryFiles()
  const sink = await started(files, { flushBytes: 100 })
  sink.push('before')
  await sink.advance(5)
  files.room = 20
  const inputs = Array.from({ length: 200 }, (_, i) => sink.push(`line ${i}`))
  await sink.advance(20_000)
  t.is(inputs.filter(one => one.state === 'released').length, 0)
  t.true(inputs.filter(one => one.state === 'waiting').length > 50, 'takes no more than its bound')
  const [error] = sink.errors
  t.regex(
    `${error!.message} ${(error as UserError).hint}`,
    /out cannot be written: ENOSPC.*make room/,
  )
  t.true(sink.errors.length < 6)
  files.room = Number.POSITIVE_INFINITY
  await sink.advance(10_000)
  t.true(inputs.every(one => one.state === 'released'))
  t.is(
    files.text(OPEN),
    ['before', ...inputs.map(one => one.value)].map(line => `${line}\n`).join(''),
  )
})

test('inputs that failed by time-out while the disk was full are not written: they come again', async t => {
  const files = new MemoryFiles()
  const sink = await started(files, {}, 1000)
  files.room = 0
  const old = sink.push('old')
  await sink.advance(4000)
  t.is(old.state, 'failed')
  files.room = Number.POSITIVE_INFINITY
  const again = sink.push('again')
  await sink.advance(10_000)
  t.is(again.state, 'released')
  t.is(files.text(OPEN), 'again\n')
})

for (const what of [
  'open',
  'write',
  'sync',
  'rename',
  'syncDirectory',
  'truncate',
  'close',
  'stat',
]) {
  test(`after a failure of ${what} it goes on, and everything is there once`, async t => {
    const files = new MemoryFiles()
    const sink = await started(files, { rollBytes: 30 })
    let left = 0
    files.fault = (operation, path) => {
      if (operation !== what || (path === 'out' && what !== 'syncDirectory')) return
      if (left-- > 0) throw Object.assign(new Error(`EIO: ${what}`), { code: 'EIO' })
    }
    const lines: string[] = []
    for (let i = 0; i < 40; i++) {
      // Some fail alone, some in a row, some while another failure is repaired.
      left = i % 5 === 0 ? 1 + (i % 3) : 0
      if (i % 7 === 0 && (what === 'truncate' || what === 'stat')) files.room = 5
      lines.push(`line ${i}`)
      sink.push(lines.at(-1))
      await sink.advance(300)
      files.room = Number.POSITIVE_INFINITY
      await sink.advance(3000)
    }
    left = 0
    await sink.advance(10_000)
    t.true(sink.inputs.every(one => one.state === 'released'))
    await sink.stop()
    const text = files
      .names()
      .map(name => files.text(name))
      .join('')
    t.is(text, lines.map(line => `${line}\n`).join(''))
    t.true(sink.errors.length > 0)
  })
}

test('a task that ends while the disk is full ends at once; what was not written has failed', async t => {
  const files = new MemoryFiles()
  const sink = await started(files)
  sink.push('kept')
  await sink.advance(5)
  files.room = 3
  const lost = [sink.push('lost'), sink.push('too')]
  await sink.advance(100)
  await sink.stop()
  t.deepEqual(
    lost.map(one => one.state),
    ['failed', 'failed'],
  )
  t.is(
    files
      .names()
      .map(name => files.text(name))
      .join(''),
    'kept\n',
  )
  t.is(files.handles, 0)
})

test('what waits when the task ends is written first', async t => {
  const files = new MemoryFiles()
  const sink = await started(files, { flushAfterMs: 60_000 })
  const input = sink.push('last')
  await sink.stop()
  t.is(input.state, 'released')
  t.is(files.text(FIRST), 'last\n')
})

test('a file that somebody took away while it grew is an error that names it, and not the end', async t => {
  const files = new MemoryFiles()
  const sink = await started(files, { rollBytes: 5 })
  files.fault = what => {
    if (what === 'rename') files.delete(OPEN)
  }
  sink.push('gone!')
  await sink.advance(5)
  sink.push('next')
  files.fault = () => undefined
  await sink.advance(5000)
  t.regex(sink.errors[0]!.message, /was removed with 6 bytes that were done/)
  t.true(sink.inputs.every(one => one.state === 'released'))
})

test('all mistakes in the options are told at once', t => {
  const wrong = { path: 'out/{task}.log', rollBytes: 0, sync: true }
  const error = t.throws<UserError>(() => fileSink(wrong as unknown as FileSinkOptions))
  t.deepEqual(error!.problems.map(problem => problem.place).sort(), [
    'path',
    'path',
    'path',
    'rollBytes',
    'sync',
  ])
  t.regex(error!.message, /\{task\} stands for nothing/)
  t.throws(() => fileSink({ path: 'out/words.log' }), {
    message: /out\/words-\{index\}-\{sequence\}\.log/,
  })
  t.throws(() => fileSink({} as FileSinkOptions), { message: /path: is missing/ })
})
