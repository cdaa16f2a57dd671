import { readFileSync } from 'node:fs'
import test from 'ava'
import { routes, routesOf } from '../../../storm-compat/ui/routes.ts'

test('docs/storm-ui.md names every path', t => {
  const page = readFileSync(new URL('../../../docs/storm-ui.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\/\S+)` \| (GET|POST) \|/gm)]
  t.deepEqual(
    rows.map(([, path, method]) => `${method} ${path}`),
    routes.map(({ path, method }) => `${method} ${path}`),
  )
})

test('a word of the table wins over any word, and words are decoded', t => {
  t.is(routesOf('/topology/summary')[0]!.route.path, '/topology/summary')
  const [found] = routesOf('/topology/a%20b-1-2/component/x%2Fy')
  t.deepEqual(found!.words, ['a b-1-2', 'x/y'])
  t.deepEqual(routesOf('/topology'), [])
})
