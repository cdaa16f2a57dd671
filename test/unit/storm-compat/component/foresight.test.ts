// The rule that decides whether the answers of a component's emits can be known before they are made.
import test from 'ava'
import type { Outlet } from 'gearpump/spi'
import { outlookOf } from '../../../../storm-compat/component/foresight.ts'

function outlet(targeting: Outlet['targeting'], ids: readonly number[] = []): Outlet {
  return {
    targeting,
    targets: [],
    reserve: () => ids,
    emit: () => -1,
    emitTo: () => false,
    emitReserved: () => undefined,
  }
}

const always = (...ids: number[]) => ({ outlet: outlet('always', ids) })
const nobody = { outlet: undefined }
const turns = { outlet: outlet('turns', [3]) }
const message = { outlet: outlet('message') }

test('one stream that always goes to the same tasks is always answered by them', t => {
  t.deepEqual(outlookOf([always(4)]), { kind: 'always', ids: [4] })
  t.deepEqual(outlookOf([always(4, 5, 6)]), { kind: 'always', ids: [4, 5, 6] })
})

test('a stream that nobody listens to is always answered by an empty list', t => {
  t.deepEqual(outlookOf([nobody]), { kind: 'always', ids: [] })
  t.deepEqual(outlookOf([nobody, nobody]), { kind: 'always', ids: [] })
})

test('one stream whose consumers take turns is asked for each answer', t => {
  t.deepEqual(outlookOf([turns]), { kind: 'turns', outlet: turns.outlet })
})

test('where the message decides, nothing is known', t => {
  t.is(outlookOf([message]), undefined)
  t.is(outlookOf([always(4), message]), undefined)
})

test('several streams are known only when all of them have one answer', t => {
  t.deepEqual(outlookOf([always(4), always(4)]), { kind: 'always', ids: [4] })
  t.is(outlookOf([always(4), always(5)]), undefined)
  t.is(outlookOf([always(4, 5), always(5, 4)]), undefined, 'the order is part of the answer')
  t.is(outlookOf([always(4), nobody]), undefined)
  t.is(outlookOf([turns, always(3)]), undefined, 'the stream of the next emit is not known')
  t.is(outlookOf([turns, turns]), undefined)
})

test('a component that may make no ordinary emit is asked nothing', t => {
  t.is(outlookOf([]), undefined)
})
