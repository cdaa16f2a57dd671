// The choice of a store: it is said in one line, and settings that make no sense are refused all at once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { realEnvironment } from '../../../../src/base/environment.ts'
import type { UserError } from '../../../../src/base/errors.ts'
import type { LogLine } from '../../../../src/base/log.ts'
import { openStore, type StoreSettings } from '../../../../src/cluster/store/open-store.ts'
import { memoryCluster } from './_masters.ts'

async function opened(settings: StoreSettings) {
  const lines: LogLine[] = []
  const log = { write: (line: LogLine) => lines.push(line) }
  const store = await openStore(settings, { environment: realEnvironment, log })
  await store.close()
  return { kind: store.kind, lines: lines.map(line => line.text) }
}

test('the choice is one line', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  t.deepEqual(await opened({ kind: 'journal', directory }), {
    kind: 'journal',
    lines: [`the cluster's memory is the journal in ${directory}, for this master alone`],
  })
  t.deepEqual(await opened({ kind: 'etcd', endpoints: ['http://a:2379', 'http://b:2379'] }), {
    kind: 'etcd',
    lines: ["the cluster's memory is etcd at http://a:2379, http://b:2379"],
  })
  const { cluster } = memoryCluster()
  t.is((await opened({ kind: 'memory', cluster, name: 'm1' })).kind, 'memory')
})

test('every mistake in the settings is listed, before anything is started', async t => {
  const parts = { environment: realEnvironment, log: { write: () => undefined } }
  const problems = async (settings: StoreSettings) => {
    const error = await t.throwsAsync<UserError>(openStore(settings, parts))
    return error!.problems.map(problem => `${problem.place}: ${problem.message}`)
  }
  t.deepEqual(await problems({ kind: 'etcd', endpoints: [] }), [
    'endpoints: at least one is needed',
  ])
  t.deepEqual(await problems({ kind: 'etcd', endpoints: ['host:2379'], root: 'a b' }), [
    'endpoints: host:2379 is no address such as http://host:2379',
    'root: "a b" is not made of letters, digits and . / - _',
  ])
  const member = { name: 'm1', clientUrl: 'http://h:2379', peerUrl: 'ftp://h:1' }
  t.deepEqual(
    await problems({ kind: 'etcd-member', name: 'm3', members: [member, member], directory: '/x' }),
    [
      'name: "m3" is not among the masters m1, m1',
      'members: each master has a name of its own',
      'members: ftp://h:1 is no address such as http://host:2380',
      'members: ftp://h:1 is no address such as http://host:2380',
    ],
  )
})
