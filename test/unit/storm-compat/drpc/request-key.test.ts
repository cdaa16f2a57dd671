// Ids of requests that come back as another kind of number.
import test from 'ava'
import { Double } from '../../../../storm-compat/component/values.ts'
import { requestKey } from '../../../../storm-compat/drpc/request-key.ts'

test('an id is the same key whichever kind of number it comes back as, over all that PrepareRequest draws', t => {
  for (const id of [0, 5, -1, 2 ** 31, 2 ** 52 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
    t.is(requestKey(BigInt(id)), id)
    t.is(requestKey(-BigInt(id)), id === 0 ? 0 : -id)
    t.is(requestKey(id), id)
  }
  t.is(requestKey(new Double(5)), 5)
})

test('ids beyond what a number holds are keys of their own', t => {
  const large = 2n ** 53n
  t.is(requestKey(large + 1n), large + 1n)
  t.not(requestKey(large), requestKey(large + 1n))
  t.is(requestKey('5'), '5')
})
