import test from 'ava'
import { AnchorLists, END } from '../../../src/progress/anchor-lists.ts'

function rows(lists: AnchorLists, list: number): number[] {
  const parents: number[] = []
  for (let row = list; row !== END; row = lists.next[row]!) parents.push(lists.parent[row]!)
  return parents
}

test('lists keep apart while they grow', t => {
  const lists = new AnchorLists()
  let even = END
  let odd = END
  for (let n = 0; n < 1000; n++) {
    if (n % 2 === 0) even = lists.prepend(n, even)
    else odd = lists.prepend(n, odd)
  }
  t.is(rows(lists, even).length, 500)
  t.true(rows(lists, even).every(n => n % 2 === 0))
  t.true(rows(lists, odd).every(n => n % 2 === 1))
})

test('dropped rows are used again', t => {
  const lists = new AnchorLists()
  for (let round = 0; round < 100; round++) {
    let list = END
    for (let n = 0; n < 50; n++) list = lists.prepend(n, list)
    while (list !== END) list = lists.drop(list)
  }
  t.is(lists.parent.length, 64)
})
