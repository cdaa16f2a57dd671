import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'ava'
import { ProcessOutput } from '../../../src/deploy/process-output.ts'
import { until } from '../../e2e/until.ts'

let top = ''

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-output-'))
})

test.after.always(() => rm(top, { recursive: true, force: true }))

const text = (path: string) => readFile(path, 'utf8').catch(() => '')

test('what a process says is in its file, and its last lines are given at the end', async t => {
  const path = join(top, 'a.log')
  const output = new ProcessOutput({ path })
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  output.take(stdout)
  output.take(stderr)
  for (let line = 1; line <= 60; line++) stdout.write(`line ${line}\n`)
  stdout.end()
  stderr.end('the last word\n')
  const tail = (await output.end()).split('\n')
  t.is(tail.at(-1), 'the last word')
  t.true(tail.length <= 50)
  await until('all is written', async () => (await text(path)).split('\n').length === 62)
})

test('the file is turned when it is full; there are never more than two', async t => {
  const path = join(top, 'b.log')
  const output = new ProcessOutput({ path, fileBytesMax: 100 })
  const stdout = new PassThrough()
  output.take(stdout)
  for (let line = 10; line < 40; line++) {
    stdout.write(`0123456789 ${line}\n`)
    await until('it is written', async () =>
      ((await text(path)) + (await text(`${path}.1`))).includes(`${line}\n`),
    )
  }
  stdout.end()
  await output.end()
  t.true((await text(path)).length <= 128)
  t.true((await text(`${path}.1`)).length <= 128)
})

test('a file that cannot be written holds nobody up, and the reason is among the last lines', async t => {
  const output = new ProcessOutput({ path: join(top, 'not-there', 'c.log') })
  const stdout = new PassThrough()
  output.take(stdout)
  stdout.write('before\n')
  stdout.end('after\n')
  await once(stdout, 'close')
  await until('the reason is known', async () => (await output.end()).includes('ENOENT'))
  t.true((await output.end()).includes('after'))
})
