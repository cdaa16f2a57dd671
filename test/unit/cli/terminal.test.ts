import test from 'ava'
import { type NodeStream, WatchedStream, wantsColour } from '../../../src/cli/terminal.ts'

function stream() {
  const written: string[] = []
  const write = (text: string, done?: () => void) => {
    written.push(text)
    done?.()
    return true
  }
  return { written, stream: { write, isTTY: true } as unknown as NodeStream }
}

test('others are let through after what must be wiped has been wiped', async t => {
  const { written, stream: out } = stream()
  const watched = new WatchedStream(out)
  watched.before = () => void watched.write('<wipe>')
  out.write('one')
  t.false(watched.endsLine)
  out.write('two\n')
  t.true(watched.endsLine)
  await watched.write('own')
  watched.restore()
  out.write('three')
  t.deepEqual(written, ['<wipe>', 'one', '<wipe>', 'two\n', 'own', 'three'])
})

test('colours need a terminal, and a user who did not say no', t => {
  const tty = { write: () => true, isTTY: true }
  t.true(wantsColour(tty, { TERM: 'xterm' }))
  t.true(wantsColour(tty, { TERM: 'xterm', NO_COLOR: '' }))
  t.false(wantsColour(tty, { NO_COLOR: '1' }))
  t.false(wantsColour(tty, { TERM: 'dumb' }))
  t.false(wantsColour({ write: () => true }, {}))
})
