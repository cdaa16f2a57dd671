import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { application, connect, graph, processor, type SourceContext, source } from 'gearpump'
import { Count, Lines, Split, wordCount } from '../../../../examples/word-count/word-count.ts'

const folder = mkdtempSync(join(tmpdir(), 'gearpump-word-count-'))
test.after.always(() => rmSync(folder, { recursive: true }))

function textOf(name: string, lines: readonly string[]): string {
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n'))
  return path
}

test('the words of a text are counted and the most frequent ones shown', async t => {
  const path = textOf(
    'fox',
    Array.from({ length: 500 }, () => 'The fox and the hound'),
  )
  const shown: string[] = []
  const dag = graph(
    source('lines', () => new Lines(path))
      .to(processor('split', () => new Split(), { parallelism: 3 }))
      .to(processor('count', () => new Count(2, text => shown.push(text)))),
  )
  const gear = await connect()
  const app = await gear.submit(application('word-count', dag))
  await app.drained()
  const figures = await app.figures()
  await gear.close()
  t.deepEqual(shown, ['1000\tthe\n500\tand\n'])
  t.deepEqual([figures.emitted, figures.acked, figures.pending], [500, 500, 0])
})

test('a line that failed is emitted again before the end', async t => {
  const lines = new Lines(textOf('two', ['one', 'two']))
  const out: [string, number][] = []
  const context = {
    output: (line: string, id: number) => out.push([line, id]),
  } as unknown as SourceContext<string>
  await lines.open()
  while ((await lines.next(context)) !== false);
  t.deepEqual(out.splice(0), [
    ['one', 0],
    ['two', 1],
  ])
  lines.done(0)
  lines.fail(1)
  t.is(lines.next(context), true)
  t.deepEqual(out, [['two', 1]])
  t.is(lines.next(context), false)
  lines.done(1)
  t.is(lines.next(context), 'end')
  await lines.close()
})

test('the application has the parallelism that was asked for', t => {
  const { dag } = wordCount({ text: 'x', split: 4, top: 1 })
  t.deepEqual(
    dag.processors.map(p => p.parallelism),
    [1, 4, 1],
  )
})
