// File connectors in whole applications, in virtual time: executors die while lines go from files to files.
import test from 'ava'
import fc from 'fast-check'
import { application, graph, processor, shuffle, source, type TaskContext } from 'gearpump'
import { fileSink, fileSource } from 'gearpump/files'
import { simulate } from 'gearpump/testing'
import '../../seed.ts'
import { MemoryFiles } from './_memory-files.ts'

const LINES = 400

function copy(files: MemoryFiles, relayed: () => void) {
  // A task that starts again takes the place of the one that died.
  const from = () =>
    fileSource(
      { directory: 'from', openMax: 20, chunkBytes: 100 },
      { fileSystem: files.process('from') },
    )()
  const to = () =>
    fileSink<string>(
      { path: 'to/{index}-{sequence}', rollBytes: 300, flushAfterMs: 2 },
      { fileSystem: files.process('to') },
    )()
  const relay = processor<string, string>(
    'relay',
    () => ({
      onNext: (line, context: TaskContext<string>) => {
        relayed()
        context.output(line)
      },
    }),
    { parallelism: 2 },
  )
  return application(
    'copy',
    graph(source('from', from).to(relay, shuffle()).to(processor('to', to), shuffle())),
    { profile: { timeoutMs: 2000 } },
  )
}

test('whichever executors die, and when: no line is missing, none is torn, and none is written twice without a replay', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(3)), { maxLength: 5 }),
      async (seed, deaths) => {
        const files = new MemoryFiles('from')
        const lines = Array.from({ length: LINES }, (_, i) => `line ${i} ${'x'.repeat(i % 40)}`)
        files.put('from/a', lines.slice(0, LINES / 2).join('\n'))
        files.put('from/b', `${lines.slice(LINES / 2).join('\n')}\n`)
        let relayed = 0
        const app = copy(files, () => void relayed++)
        const run = await simulate(app, { executors: 4, seed, faults: { delayMsMax: 3 } })
        for (const [waitMs, which] of deaths) {
          await run.advance(waitMs)
          const living = run.executors
          if (living.length > 0) run.crash(living[which % living.length]!)
        }
        await run.drained({ idleMs: 5000, withinMs: 120_000 })
        const { pending } = await run.figures()
        await run.close()
        t.is(pending, 0)
        const names = files.names().filter(name => name.startsWith('to/'))
        const got = names.flatMap(name => files.text(name).slice(0, -1).split('\n'))
        const there = new Set(got)
        const known = new Set(lines)
        t.deepEqual(
          lines.filter(line => !there.has(line)),
          [],
          'missing',
        )
        t.deepEqual(
          got.filter(line => !known.has(line)),
          [],
          'torn',
        )
        t.true(names.every(name => /^to\/0-\d{6}$/.test(name)))
        t.true(got.length <= relayed, `${got.length} lines of ${relayed}`)
        if (deaths.length === 0) t.is(got.length, LINES)
      },
    ),
    { numRuns: 30 },
  )
})

test('a line that is too long is reported where nothing listens on its port, and the others go on', async t => {
  const files = new MemoryFiles('from')
  files.put('from/a', `one\n${'x'.repeat(50)}\ntwo\n`)
  const got: string[] = []
  const lines = source(
    'lines',
    fileSource({ directory: 'from', lineBytesMax: 10 }, { fileSystem: files }),
  )
  const keep = processor<string, never>('keep', () => ({ onNext: line => void got.push(line) }))
  const run = await simulate(application('long', graph(lines.to(keep))))
  await run.drained()
  t.deepEqual(got, ['one', 'two'])
  const [error] = run.master.errors.errorsOf('lines').last
  t.is(error!.code, 'LINE_TOO_LONG')
  t.regex(error!.message, /from\/a: the line at byte 4 has 51 bytes, more than 10/)
  await run.close()
})
