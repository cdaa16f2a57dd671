// The ring must behave as a plain list, whatever its growth and wrap.

import test from 'ava'
import fc from 'fast-check'
import { Inbox } from '../../../src/task/inbox.ts'
import '../seed.ts'

function shift(inbox: Inbox): unknown[] {
  const i = inbox.head
  inbox.head = (i + 1) & inbox.mask
  inbox.size--
  const row = [inbox.values[i], inbox.slots[i]]
  inbox.values[i] = undefined
  return inbox.tagged ? [...row, inbox.ways[i]] : row
}

for (const tagged of [false, true]) {
  test(`an inbox ${tagged ? 'with' : 'without'} origins gives back what was put in, in order`, t => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 40 }), { maxLength: 60 }), steps => {
        const inbox = new Inbox(tagged)
        const model: unknown[][] = []
        let n = 0
        for (const step of steps) {
          for (let i = 0; i < step; i++, n++) {
            const way = { edge: n + 1, source: n + 2, origin: n + 3, straight: false }
            inbox.push(`v${n}`, n, way)
            model.push(tagged ? [`v${n}`, n, way] : [`v${n}`, n])
          }
          for (let i = step; i < 0 && model.length > 0; i++)
            t.deepEqual(shift(inbox), model.shift())
          inbox.taken(Math.max(0, -step))
          t.is(inbox.size, model.length)
        }
      }),
      { numRuns: 60 },
    )
  })
}

test('a busy inbox makes its ring anew once in a round, when it is empty; a small one keeps it', t => {
  const inbox = new Inbox(false)
  const way = { edge: 0, source: 1, origin: 0, straight: false }
  const fill = (count: number) => {
    for (let i = 0; i < count; i++) inbox.push(i, 0, way)
  }
  const drain = () => {
    while (inbox.size > 0) shift(inbox)
  }
  const small = inbox.values
  fill(16)
  drain()
  inbox.taken(100)
  t.is(inbox.values, small)

  fill(64)
  const first = inbox.values
  inbox.taken(64)
  t.is(inbox.values, first)
  drain()
  inbox.taken(0)
  t.not(inbox.values, first)
  const second = inbox.values
  inbox.taken(63)
  t.is(inbox.values, second)
})
