import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { place, type WorkerOffer } from '../../../src/cluster/scheduler.ts'
import { loadStrategy } from '../../../src/cluster/strategy-module.ts'

let folder = ''
let files = 0

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gear-strategy-'))
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

async function moduleOf(text: string): Promise<string> {
  const file = join(folder, `strategy-${files++}.mjs`)
  await writeFile(file, text)
  return file
}

const offer: WorkerOffer = {
  id: 'a',
  host: 'h',
  labels: {},
  slots: 2,
  cpu: 2,
  memoryMb: 100,
  used: { slots: 0, cpu: 0, memoryMb: 0 },
}
const request = { app: 7, count: 2, each: { cpu: 1, memoryMb: 10 }, strategy: 'mine' }

async function placeBy(text: string) {
  const strategy = await loadStrategy(await moduleOf(text))
  return place([offer], request, new Map([['mine', strategy]]))
}

test("a user's own strategy places executors", async t => {
  const text = `export function strategy(offers, request) {
    return { placed: Array(request.count).fill(offers[0].id) }
  }`
  t.deepEqual(await placeBy(text), { placed: ['a', 'a'] })
  const no = `export const strategy = () => ({ missing: 2, reason: 'not today' })`
  t.deepEqual(await placeBy(no), { missing: 2, reason: 'not today' })
})

test('an answer that would over-commit a worker is an error that names the module', async t => {
  const text = `export const strategy = () => ({ placed: ['a', 'a', 'a'] })`
  await t.throwsAsync(placeBy(text), {
    code: 'STRATEGY_FAILED',
    message: /strategy-\d+\.mjs placed 3 executors where 2 were asked for/,
  })
  const promise = `export const strategy = async () => ({ placed: ['a', 'a'] })`
  await t.throwsAsync(placeBy(promise), { message: /strategy-\d+\.mjs/ })
})

test('a strategy that throws, or writes into the offers, is an error that names the module', async t => {
  const thrower = `export const strategy = () => { throw new Error('boom') }`
  await t.throwsAsync(placeBy(thrower), { message: /strategy-\d+\.mjs threw: boom/ })
  const writer = `export const strategy = offers => { offers[0].used.slots = -100; return { placed: [] } }`
  await t.throwsAsync(placeBy(writer), { message: /strategy-\d+\.mjs threw: .*read only/ })
})

test('a module that is none, or exports no strategy, is refused when it is loaded', async t => {
  await t.throwsAsync(loadStrategy(join(folder, 'absent.mjs')), {
    code: 'MODULE_NOT_LOADED',
    message: /absent\.mjs cannot be loaded/,
  })
  const error = await t.throwsAsync(loadStrategy(await moduleOf('export const stratgy = 1')))
  t.like(error, { code: 'MODULE_NOT_LOADED', hint: 'it exports: stratgy' })
})
