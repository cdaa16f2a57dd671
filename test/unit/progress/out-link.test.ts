import test from 'ava'
import { OutLink } from '../../../src/progress/out-link.ts'

test('frame numbers wrap at 32 bits without a sign', t => {
  const out = new OutLink()
  out.nextFrame = 0xffffffff
  t.is(out.takeFrame(), 0xffffffff)
  t.is(out.takeFrame(), 0)
  t.is(out.takeFrame(), 1)
})

test('a PROGRESS frame that is not the one due is refused, and stays due', t => {
  const out = new OutLink()
  out.nextProgress = 0xffffffff
  t.false(out.acceptProgress(0))
  t.true(out.acceptProgress(0xffffffff))
  t.true(out.acceptProgress(0))
  t.false(out.acceptProgress(0))
})

test('positions begin where told', t => {
  const out = new OutLink(0x7fffffff)
  t.is(out.nextPosition, 0x7fffffff)
  t.is(out.through, 0x7fffffff)
  out.sent.push(1)
  t.is(out.nextPosition, -0x80000000)
})

test('progress past what was sent is refused, with what to do', t => {
  const out = new OutLink(0x7ffffffe)
  for (let n = 0; n < 4; n++) out.sent.push(1)
  const through = 0x7ffffffe
  const end = out.nextPosition
  t.notThrows(() => out.check({ through: end, runs: [], failed: [(end - 1) | 0] }))
  t.notThrows(() => out.check({ through, runs: [0x7fffffff, 3], failed: [] }))
  const wrong = [
    { through: (end + 1) | 0, runs: [], failed: [] },
    { through, runs: [0x7fffffff, 4], failed: [] },
    { through, runs: [0x7fffffff, 0], failed: [] },
    { through, runs: [0x7fffffff, -1], failed: [] },
    { through, runs: [0x7fffffff, 2 ** 32 + 1], failed: [] },
    { through, runs: [0x7fffffff], failed: [] },
    { through, runs: [], failed: [end] },
  ]
  for (const progress of wrong) {
    const error = t.throws(() => out.check(progress), { message: /past position/ })
    t.like(error, { code: 'FRAME_INVALID' })
  }
})
