import test from 'ava'
import { parseDuration, showDuration } from '../../../src/cli/durations.ts'

test('a time is a number with its unit', t => {
  t.is(parseDuration('500ms'), 500)
  t.is(parseDuration('3s'), 3000)
  t.is(parseDuration('1.5m'), 90_000)
  t.is(parseDuration('2h'), 7_200_000)
  t.is(parseDuration(' 0s '), 0)
})

test('a number without unit, other words and endless times are refused with a reason', t => {
  for (const text of ['3', '', 's', '-1s', '1d', '1s2', 'Infinitys', '1e3s']) {
    t.regex(String(parseDuration(text)), /write 500ms/, text)
  }
  t.regex(String(parseDuration('597h')), /too long/)
})

test('a time is shown in the unit that people read best', t => {
  t.is(showDuration(850.4), '850 ms')
  t.is(showDuration(2310), '2.31 s')
  t.is(showDuration(12_340), '12.3 s')
  t.is(showDuration(200_000), '3 m 20 s')
  t.is(showDuration(7_260_000), '2 h 1 m')
})
