// The kit for a single source.
import test from 'ava'
import type { Source } from '../../../src/task/task.ts'
import { testSource } from './doors.ts'

class Letters implements Source<string> {
  readonly told: string[] = []
  readonly #queue: string[]

  constructor(letters: string) {
    this.#queue = [...letters]
  }

  next(out: Parameters<Source<string>['next']>[0]): boolean {
    const letter = this.#queue.shift()
    if (letter === undefined) return false
    out.output(letter, letter)
    return true
  }

  done(id: unknown): void {
    this.told.push(`done ${id}`)
  }

  fail(id: unknown): void {
    this.told.push(`fail ${id}`)
    this.#queue.push(id as string)
  }
}

test('pull gives what is new, and the source hears how each ended', async t => {
  const letters = new Letters('abc')
  const source = await testSource(letters)
  t.deepEqual(
    source.pull().map(({ value, id, state }) => [value, id, state]),
    [
      ['a', 'a', 'open'],
      ['b', 'b', 'open'],
      ['c', 'c', 'open'],
    ],
  )
  source.done('a')
  source.fail('b')
  t.deepEqual(letters.told, ['done a', 'fail b'])
  t.deepEqual(
    source.pull().map(output => output.value),
    ['b'],
  )
  t.deepEqual(source.open, ['c', 'b'])
  source.done()
  t.deepEqual(source.open, [])
  t.deepEqual(
    source.emitted.map(output => output.state),
    ['done', 'failed', 'done', 'done'],
  )
})

test('at most so many messages are open', async t => {
  const source = await testSource(new Letters('abcdef'), { profile: { maxOpenRoots: 2 } })
  t.is(source.pull().length, 2)
  source.done('a')
  t.deepEqual(
    source.pull().map(output => output.value),
    ['c'],
  )
})

test('an open message fails between one and two time-outs', async t => {
  const letters = new Letters('a')
  const source = await testSource(letters, { profile: { timeoutMs: 1000 } })
  source.pull()
  await source.advance(1990)
  t.deepEqual(letters.told, [])
  await source.advance(20)
  t.deepEqual(letters.told, ['fail a'])
})

test('a message without an id is not tracked', async t => {
  const source = await testSource({
    next: out => {
      out.output('x')
      return 'end'
    },
  })
  t.is(source.pull()[0]!.state, 'untracked')
  t.true(source.ended)
})

test('nothing is asked for while the source is inactive or its consumers are full', async t => {
  const source = await testSource(new Letters('abc'))
  source.setActive(false)
  t.is(source.pull().length, 0)
  source.setFull(true)
  source.setActive(true)
  t.is(source.pull().length, 1)
  source.setFull(false)
  t.is(source.pull().length, 2)
})
