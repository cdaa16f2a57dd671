// Errors: what they carry, how mistakes are listed, which name is meant.

import { runInNewContext } from 'node:vm'
import test from 'ava'
import fc from 'fast-check'
import {
  asError,
  assertNever,
  EngineError,
  invariant,
  nearestName,
  UserError,
} from '../../../src/base/errors.ts'
import '../seed.ts'

test('the nearest name is the one with the fewest letters changed, whatever their case', t => {
  t.is(nearestName('spliter', ['count', 'splitter', 'lines']), 'splitter')
  t.is(nearestName('COUNT', ['count']), 'count')
  t.is(nearestName('lin', ['count', 'lines', 'link']), 'link')
})

test('a name too different from all others has no nearest one', t => {
  t.is(nearestName('zebra', ['count', 'lines']), undefined)
  t.is(nearestName('ab', ['xy']), undefined)
  t.is(nearestName('x', []), undefined)
})

test('a known name is its own nearest, and one changed letter is forgiven', t => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{4,12}$/), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(names, fc.nat(), (known, at) => {
      const name = known[0]!
      t.is(nearestName(name, known), name)
      const i = at % name.length
      const near = nearestName(`${name.slice(0, i)}_${name.slice(i + 1)}`, known)
      t.true(near !== undefined && known.includes(near))
    }),
    { numRuns: 50 },
  )
})

test('a user error lists every mistake with its place and hint', t => {
  const error = new UserError('BAD_INPUT', 'graph', [
    { place: 'edge a -> b', message: 'is written twice', hint: 'write it once' },
    { place: 'processor c', message: 'no source leads to it' },
  ])
  t.is(
    error.message,
    'graph: 2 problems\n  edge a -> b: is written twice (write it once)\n  processor c: no source leads to it',
  )
  t.is(error.code, 'BAD_INPUT')
  t.is(error.problems.length, 2)
  t.true(error instanceof EngineError)
})

test('an engine error keeps its code, hint, details and cause', t => {
  const cause = new Error('reset')
  const error = new EngineError('LINK_LOST', 'gone', { hint: 'wait', details: { peer: 2 }, cause })
  t.deepEqual(
    [error.code, error.hint, error.details, error.cause],
    ['LINK_LOST', 'wait', { peer: 2 }, cause],
  )
  t.false('cause' in new EngineError('BUG', 'x'))
})

test('a broken invariant is a bug, and anything thrown can be read as an error', t => {
  t.is(t.throws<EngineError>(() => invariant(false, 'two is two'))!.code, 'BUG')
  t.notThrows(() => invariant(1, 'one'))
  t.is(t.throws<EngineError>(() => assertNever('odd' as never))!.code, 'BUG')
  t.is(asError('text').message, 'text')
  const error = new TypeError('x')
  t.is(asError(error), error)
})

test('whatever is thrown becomes an error that can be read, and nothing throws meanwhile', t => {
  const strange: [thrown: unknown, message: RegExp][] = [
    [undefined, /^undefined$/],
    [Symbol('s'), /^Symbol\(s\)$/],
    [{ code: 7, why: 'full' }, /"code":7,"why":"full"/],
    [Object.create(null), /^\{\}$/],
    [{ toString: refuse, big: 1n }, /"toString":"a function","big":"1n"/],
    [ring(), /^an object with name, self$/],
    [Object.assign(new Error(), { message: { status: 500 } }), /"status":500/],
    [Object.assign(new Error('kept'), { stack: 12 }), /^kept$/],
    [runInNewContext('new TypeError("of another realm")'), /^of another realm$/],
    [refusing(new Error('x'), 'message'), /cannot be shown/],
    [new Proxy({}, { getPrototypeOf: refuse, get: refuse }), /cannot be shown/],
  ]
  for (const [thrown, message] of strange) {
    const error = asError(thrown)
    t.true(error instanceof Error)
    t.regex(error.message, message)
    t.is(typeof (error.stack ?? ''), 'string')
  }
})

function ring(): object {
  const one: { name: string; self?: unknown } = { name: 'ring' }
  one.self = one
  return one
}

function refuse(): never {
  throw new Error('not to be read')
}

function refusing(error: Error, property: string): Error {
  return Object.defineProperty(error, property, { get: refuse })
}
