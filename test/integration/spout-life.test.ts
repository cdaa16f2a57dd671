// What a shell spout sees of the life of its topology, and how many of its tuples may be open.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { linesOf } from '../e2e/flux-run.ts'
import { until } from '../e2e/until.ts'
import { realTest } from '../real/parts.ts'
import { startFlux } from './flux-app.ts'

/** hold is 2, the spout's tasks 3 and 4. */
const LIVES = ['life-3', 'life-4']

realTest(
  test,
  ['multilang'],
  'P27: max.spout.pending bounds each task of a shell spout by itself',
  async (t, parts) => {
    const { app, dir } = await startFlux(t, 'pending', { parts })
    const held = await until('ten were held, ten times', () => {
      const lines = linesOf(join(dir, 'held'))
      return lines.length >= 10 ? lines : undefined
    })
    t.deepEqual([...new Set(held)], ['10'], 'five of each task, never more')
    t.true((await app.figures()).pending <= 10)
  },
)

test('P22: a shell spout is activated before its first next, told of each change, and deactivated again at the kill', async t => {
  const { app, dir } = await startFlux(t, 'pending', {})
  const life = (file: string) => linesOf(join(dir, file))
  const both = (what: string, lines: string[]) =>
    until(what, () => LIVES.every(file => life(file).length >= lines.length)).then(() => {
      for (const file of LIVES) t.deepEqual(life(file), lines)
    })
  await both('they were activated', ['open', 'activate'])
  await until('they emit', async () => (await app.figures()).acked > 0)
  await app.setActive(false)
  await both('they were deactivated', ['open', 'activate', 'deactivate'])
  await until('what was open has ended or stands', async () => (await app.figures()).pending <= 10)
  const { emitted } = await app.figures()
  await app.setActive(true)
  await both('they were activated again', ['open', 'activate', 'deactivate', 'activate'])
  await until('they go on', async () => (await app.figures()).emitted > emitted)
  await app.kill()
  await both('they were deactivated at the kill', [
    'open',
    'activate',
    'deactivate',
    'activate',
    'deactivate',
  ])
})

test('a topology submitted inactive does not even start the process of its spout', async t => {
  const { app, dir } = await startFlux(t, 'pending', { active: false })
  t.is((await app.info()).status, 'inactive')
  t.deepEqual(
    readdirSync(dir).filter(name => name.startsWith('life-')),
    [],
  )
  await app.setActive(true)
  await until('it has started', () => LIVES.every(file => existsSync(join(dir, file))))
  await until('it emits', async () => (await app.figures()).emitted > 0)
})
