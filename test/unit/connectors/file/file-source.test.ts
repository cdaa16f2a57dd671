// The file source alone, on files in memory: what it emits, where it stands, what it does when files change under it.
import test from 'ava'
import fc from 'fast-check'
import type { UserError } from 'gearpump'
import { type FileSourceOptions, fileSource } from 'gearpump/files'
import { type SourceTest, testSource } from 'gearpump/testing'
import '../../seed.ts'
import { MemoryFiles } from './_memory-files.ts'

const texts = (source: SourceTest) => source.pull().map(one => String(one.value))

interface Start {
  position?: unknown
  index?: number
  parallelism?: number
}

/** A source on `files`, after its first ms. */
async function started(files: MemoryFiles, options: FileSourceOptions, start: Start = {}) {
  const source = await testSource<unknown>(fileSource(options, { fileSystem: files })(), {
    ...start,
    profile: { timeoutMs: 0 },
  })
  await source.advance(5)
  return source
}

test('the lines of a file come in order, and the source ends when all of them are done', async t => {
  const files = new MemoryFiles()
  files.put('a.log', 'one\ntwo\n\nfour')
  const source = await started(files, { path: 'a.log' })
  t.deepEqual(texts(source), ['one', 'two', '', 'four'])
  await source.advance(100)
  t.false(source.ended)
  source.done()
  await source.advance(100)
  t.true(source.ended)
  await source.stop()
  t.is(files.handles, 0)
})

test('a line that failed is emitted again, at once and then after a wait that grows', async t => {
  const files = new MemoryFiles()
  files.put('a.log', 'one\ntwo\n')
  const source = await started(files, { path: 'a.log' })
  const [one] = source.pull()
  source.fail(one!.id)
  await source.advance(1)
  t.deepEqual(texts(source), ['one'])
  source.fail(one!.id)
  await source.advance(200)
  t.deepEqual(texts(source), [])
  await source.advance(60)
  t.deepEqual(texts(source), ['one'])
  source.done()
  await source.advance(100)
  t.true(source.ended)
})

test('no more lines are open than allowed; when one is done another comes', async t => {
  const files = new MemoryFiles()
  files.put('a.log', Array.from({ length: 100 }, (_, i) => `${i}\n`).join(''))
  const source = await started(files, { path: 'a.log', openMax: 3 })
  t.deepEqual(texts(source), ['0', '1', '2'])
  await source.advance(1000)
  t.deepEqual(texts(source), [])
  source.done(source.open[1])
  await source.advance(1)
  t.deepEqual(texts(source), ['3'])
})

test('opened at a position, only what was not done comes again: a slow line replays itself and not all after it', async t => {
  const files = new MemoryFiles()
  files.put('a.log', Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join(''))
  const first = await started(files, { path: 'a.log' })
  const lines = first.pull()
  first.done(...lines.filter((_, i) => i !== 3 && i !== 20 && i < 40).map(one => one.id))
  const position = first.position()
  await first.stop()
  const again = await started(files, { path: 'a.log' }, { position })
  const expected = [3, 20, ...Array.from({ length: 10 }, (_, i) => 40 + i)].map(i => `line ${i}`)
  t.deepEqual(texts(again), expected)
  again.done()
  const end = again.position()
  await again.advance(100)
  t.true(again.ended)
  const third = await started(files, { path: 'a.log' }, { position: end })
  t.deepEqual(texts(third), [])
  await third.advance(100)
  t.true(third.ended)
})

test('whatever is done when it stops, the next one emits exactly the rest', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ maxLength: 8 }).map(text => text.replaceAll('\n', '€')),
        { maxLength: 40 },
      ),
      fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      fc.integer({ min: 1, max: 30 }),
      async (lines, ends, chunkBytes) => {
        const files = new MemoryFiles()
        files.put('a', lines.map((line, i) => `${i} ${line}\n`).join(''))
        const left = new Set(lines.map((line, i) => `${i} ${line}`))
        let position: unknown
        for (let life = 0; life < 3; life++) {
          const source = await started(files, { path: 'a', chunkBytes }, { position })
          await source.advance(50)
          const got = source.pull()
          t.deepEqual(new Set(got.map(one => one.value as string)), left)
          t.is(got.length, left.size)
          for (const [i, one] of got.entries()) {
            if (!ends[(i * (life + 1)) % 40]) continue
            source.done(one.id)
            left.delete(one.value as string)
          }
          position = source.position()
          await source.stop()
          t.is(files.handles, 0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('files are dealt out among the tasks, each to one, by their place in the list or their number on the disk', async t => {
  const files = new MemoryFiles('logs')
  const names = Array.from({ length: 20 }, (_, i) => `logs/${i}.log`)
  for (const name of names) files.put(name, `${name}\n`)
  files.put('logs/other.txt', 'not this\n')
  for (const options of [
    { paths: names },
    { glob: 'logs/*.log' },
    { directory: 'logs', match: '*.log' },
  ]) {
    const got: string[] = []
    for (let index = 0; index < 3; index++) {
      const source = await started(files, options, { index, parallelism: 3 })
      const own = texts(source)
      t.true(own.length > 0 && own.length < 20)
      got.push(...own)
      await source.stop()
    }
    t.deepEqual(got.sort(), [...names].sort())
  }
})

test('a file under two names is read once', async t => {
  const files = new MemoryFiles('logs')
  files.put('logs/a', 'once\n')
  files.alias('logs/a', 'logs/b')
  const source = await started(files, { directory: 'logs' })
  t.deepEqual(texts(source), ['once'])
})

test('blocks of bytes are the file, cut where asked for', async t => {
  const files = new MemoryFiles()
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256))
  files.put('a.bin', bytes)
  const source = await started(files, {
    path: 'a.bin',
    format: 'bytes',
    blockBytes: 300,
    chunkBytes: 77,
  })
  await source.advance(50)
  const blocks = source.pull().map(one => one.value as Buffer)
  t.deepEqual(
    blocks.map(block => block.length),
    [300, 300, 300, 100],
  )
  t.deepEqual(Buffer.concat(blocks), bytes)
})

test('a byte order mark is no text', async t => {
  const files = new MemoryFiles()
  files.put('a', '\ufeffone\n\ufefftwo\n')
  const source = await started(files, { path: 'a' })
  t.deepEqual(texts(source), ['one', '\ufefftwo'])
})

test('a line that is too long goes to its own port with its place, and is replayed there', async t => {
  const files = new MemoryFiles()
  files.put('a', `short\n${'x'.repeat(100)}\nend\n`)
  const source = await started(files, { path: 'a', lineBytesMax: 10, chunkBytes: 7 })
  await source.advance(50)
  t.deepEqual(source.outputs(), ['short', 'end'])
  const told = { path: 'a', offset: 6, bytes: 101 }
  t.deepEqual(source.outputs('oversize'), [told])
  const long = source.emitted.find(one => one.port === 'oversize')!
  source.fail(long.id)
  await source.advance(5)
  t.deepEqual(source.outputs('oversize'), [told, told])
})

// ---- files that are followed

const TAIL = { tail: true, pollMs: 100 }

test('what is added to a file comes, a line only when its end is there; the source does not end', async t => {
  const files = new MemoryFiles()
  files.put('a.log', 'one\ntw')
  const source = await started(files, { path: 'a.log', ...TAIL })
  t.deepEqual(texts(source), ['one'])
  files.append('a.log', 'o')
  await source.advance(300)
  t.deepEqual(texts(source), [])
  files.append('a.log', '\nthree\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['two', 'three'])
  source.done()
  await source.advance(10_000)
  t.false(source.ended)
  await source.stop()
  t.is(files.handles, 0)
})

test('a file that is not there yet is waited for', async t => {
  const files = new MemoryFiles()
  const source = await started(files, { path: 'a.log', ...TAIL })
  t.regex(source.lines[0]!.text, /a\.log is not there yet/)
  files.put('a.log', 'one\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['one'])
})

test('a file that is renamed is read to its end before the new one of its name', async t => {
  const files = new MemoryFiles()
  files.put('a.log', 'one\n')
  const source = await started(files, { path: 'a.log', ...TAIL })
  files.append('a.log', 'two\n')
  files.move('a.log', 'a.log.1')
  files.put('a.log', 'three\n')
  await source.advance(200)
  t.deepEqual(texts(source), ['one', 'two', 'three'])
  // Its writer is late.
  files.append('a.log.1', 'late\nunfinished')
  files.append('a.log', 'four\n')
  await source.advance(200)
  t.deepEqual(texts(source).sort(), ['four', 'late'])
  source.done()
  await source.advance(5000)
  t.deepEqual(texts(source), ['unfinished'])
  source.done()
  await source.advance(5000)
  t.is(files.handles, 1)
})

test('a file that was renamed while nobody looked is read to its end first', async t => {
  const files = new MemoryFiles('logs')
  files.put('logs/a.log', 'one\ntwo\nthree\n')
  const first = await started(files, { path: 'logs/a.log', ...TAIL })
  first.done(
    ...first
      .pull()
      .slice(0, 2)
      .map(one => one.id),
  )
  const position = first.position()
  await first.stop()
  files.move('logs/a.log', 'logs/a.log.1')
  files.put('logs/a.log', 'four\n')
  const again = await started(files, { path: 'logs/a.log', ...TAIL }, { position })
  await again.advance(200)
  t.deepEqual(texts(again), ['three', 'four'])
})

test('a file that was emptied is said to be and read from its beginning', async t => {
  const files = new MemoryFiles()
  files.put('a.log', 'one\ntwo\n')
  const source = await started(files, { path: 'a.log', ...TAIL })
  t.deepEqual(texts(source), ['one', 'two'])
  files.put('a.log', 'new\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['new'])
  t.regex(source.lines.at(-1)!.text, /a\.log was emptied/)
  // And filled again beyond where it was before anybody looked.
  files.put('a.log', 'another one\nand one more\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['another one', 'and one more'])
  // And by others of the same length.
  files.put('a.log', 'another two\nand two more\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['another two', 'and two more'])
  // What was open of its former contents is still replayed from memory, and does not count in the new.
  const old = source.emitted[0]!
  source.done(old.id)
  t.is((source.position() as { files: { done: number }[] }).files[0]!.done, 0)
})

test('a file that is emptied and filled anew while its end is looked for is not read on from there', async t => {
  const files = new MemoryFiles()
  const filled = 'three\nfour\nfive\nsix\n'
  files.put('a.log', 'one\ntwo\n')
  // Two reads for the fingerprint, one for the lines; a fourth would look for more.
  files.fault = what => {
    if (what === 'read' && files.counts.reads === 3) files.put('a.log', filled)
  }
  const source = await started(files, { path: 'a.log', ...TAIL })
  t.deepEqual(texts(source), ['one', 'two'])
  files.put('a.log', filled)
  await source.advance(300)
  t.deepEqual(texts(source), ['three', 'four', 'five', 'six'])
})

test('files that appear in a directory are read, those that were renamed in it are not read twice', async t => {
  const files = new MemoryFiles('logs')
  files.put('logs/a.log', 'a\n')
  const source = await started(files, { directory: 'logs', ...TAIL })
  files.put('logs/b.log', 'b\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['a', 'b'])
  files.move('logs/a.log', 'logs/a.log.1')
  files.put('logs/a.log', 'a2\n')
  await source.advance(300)
  t.deepEqual(texts(source), ['a2'])
})

test('another file under a number that was known is read from its beginning', async t => {
  const files = new MemoryFiles('logs')
  files.put('logs/a.log', 'one\ntwo\n')
  const first = await started(files, { path: 'logs/a.log' })
  first.pull()
  first.done()
  const position = first.position()
  files.put('logs/a.log', 'uno\ndue\ntre\n')
  const again = await started(files, { path: 'logs/a.log' }, { position })
  t.deepEqual(texts(again), ['uno', 'due', 'tre'])
  t.regex(again.lines[0]!.text, /holds something else than before/)
})

test('a copy of a file on another disk is known by its name and first bytes', async t => {
  const files = new MemoryFiles('logs')
  files.put('logs/a.log', 'one\ntwo\n')
  const first = await started(files, { path: 'logs/a.log' })
  first.done(first.pull()[0]!.id)
  const position = first.position()
  files.delete('logs/a.log')
  files.put('logs/a.log', 'one\ntwo\n')
  const again = await started(files, { path: 'logs/a.log' }, { position })
  t.deepEqual(texts(again), ['two'])
})

// ---- troubles

test('reading that fails is reported, and goes on when it works again: nothing is left out', async t => {
  const files = new MemoryFiles()
  files.put('a.log', Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join(''))
  for (const tail of [false, true]) {
    let broken = false
    const source = await started(files, { path: 'a.log', chunkBytes: 20, tail, openMax: 5 })
    files.fault = what => {
      if (broken && what === 'read')
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    }
    source.pull()
    broken = true
    for (let k = 0; k < 5; k++) {
      source.done()
      await source.advance(1000)
    }
    t.regex(source.errors[0]!.message, /a\.log cannot be read: EIO/)
    t.true(source.errors.length <= 4)
    broken = false
    for (let k = 0; k < 20; k++) {
      source.done()
      await source.advance(20_000)
    }
    t.deepEqual(
      source.outputs(),
      Array.from({ length: 30 }, (_, i) => `line ${i}`),
    )
    files.fault = () => undefined
    await source.stop()
  }
})

test('a file that is missing at the start is an error of the start, and so is a foreign position', async t => {
  const files = new MemoryFiles()
  const missing = fileSource({ path: 'no.log' }, { fileSystem: files })()
  await t.throwsAsync(testSource<unknown>(missing), { code: 'FILE_NOT_FOUND', message: /no\.log/ })
  const nowhere = fileSource({ directory: 'no' }, { fileSystem: files })()
  await t.throwsAsync(testSource<unknown>(nowhere), {
    code: 'FILE_NOT_FOUND',
    message: /directory no/,
  })
  files.put('a', 'x\n')
  for (const position of [{ offset: 7 }, 'text', 7, null]) {
    const foreign = fileSource({ path: 'a' }, { fileSystem: files })()
    await t.throwsAsync(testSource<unknown>(foreign, { position }), { code: 'BAD_INPUT' })
  }
})

test('all mistakes in the options are told at once', t => {
  const wrong = {
    path: 'a',
    glob: '*/x',
    tial: true,
    encodin: 'utf8',
    openMax: 0,
    format: 'csv',
    paths: ['a', 'a'],
  }
  const error = t.throws<UserError>(() => fileSource(wrong as FileSourceOptions))
  t.deepEqual(error!.problems.map(problem => problem.place).sort(), [
    'encodin',
    'format',
    'openMax',
    'path, paths, glob',
    'paths',
    'tial',
  ])
  t.regex(error!.message, /did you mean encoding/)
  t.throws(() => fileSource({}), { message: /nothing says which files/ })
  t.throws(() => fileSource({ glob: 'a*/b' }), { message: /wildcard in its directory/ })
  t.throws(() => fileSource({ path: 'a', match: '*' }), { message: /with directory only/ })
  t.throws(() => fileSource(undefined as never), { message: /options: are missing/ })
})
