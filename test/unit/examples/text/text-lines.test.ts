import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { TextLines } from '../../../../examples/text/text-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'gearpump-text-'))
test.after.always(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function linesOf(path: string): Promise<string[]> {
  const text = await TextLines.open(path)
  const lines: string[] = []
  try {
    while (!text.ended) {
      const line = text.take()
      if (line === undefined) await text.more()
      else lines.push(line)
    }
    return lines
  } finally {
    await text.close()
  }
}

test('a text is read line by line, with or without a last line feed', async t => {
  t.deepEqual(await linesOf(fileOf('a', 'one\n\ntwo\n')), ['one', '', 'two'])
  t.deepEqual(await linesOf(fileOf('b', 'one\ntwo')), ['one', 'two'])
  t.deepEqual(await linesOf(fileOf('c', '')), [])
})

test('a compressed text longer than many chunks comes whole, with characters of several bytes', async t => {
  const lines = Array.from({ length: 50_000 }, (_, n) => `${n} Cæsar ${'€'.repeat(n % 7)}`)
  t.deepEqual(await linesOf(fileOf('d.gz', gzipSync(lines.join('\n')))), lines)
})

test('what is no text is refused', async t => {
  const missing = await t.throwsAsync(linesOf(join(folder, 'none')))
  t.regex(missing?.message ?? '', /none cannot be opened/)
  await t.throwsAsync(linesOf(fileOf('e', 'x'.repeat(3 << 20))), { message: /more than/ })
  await t.throwsAsync(linesOf(fileOf('f.gz', 'not compressed')))
})

test('a text that breaks off is an error, also when asked again', async t => {
  const whole = gzipSync(Array.from({ length: 50_000 }, (_, n) => `line ${n}`).join('\n'))
  const text = await TextLines.open(fileOf('h.gz', whole.subarray(0, whole.length / 2)))
  const readAll = async () => {
    while (!text.ended) if (text.take() === undefined) await text.more()
  }
  await t.throwsAsync(readAll(), { message: /unexpected end of file/ })
  await t.throwsAsync(readAll(), { message: /unexpected end of file/ })
  await text.close()
})

test('a text may be closed in the middle, and twice', async t => {
  const text = await TextLines.open(fileOf('g', 'a\n'.repeat(1_000_000)))
  await text.more()
  t.is(text.take(), 'a')
  await text.close()
  await t.notThrowsAsync(text.close())
})
