// Two Nimbuses before one cluster, whose store fails for a moment.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { EngineError } from 'gearpump'
import type { GearNotes } from '../../../../src/client/gear.ts'
import { localNotes } from '../../../../storm-compat/nimbus/local-notes.ts'
import { nimbusFor, wordTopology } from './_nimbus.ts'

const submission = {
  name: 'wc',
  uploadedJarLocation: '',
  jsonConf: '{"topology.message.timeout.secs":7}',
  topology: wordTopology(),
}

type Trouble = Partial<Record<keyof GearNotes, Error>>

/** Notes whose calls fail as `trouble` says, while it says so. */
async function troubled(t: ExecutionContext) {
  const dir = await mkdtemp(join(tmpdir(), 'gearpump-notes-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const kept = localNotes(dir)
  const trouble: Trouble = {}
  const failing = new Proxy(kept, {
    get:
      (of, name: keyof GearNotes) =>
      // biome-ignore lint/suspicious/noExplicitAny: whatever the arguments are, they are passed on.
      async (...args: any[]) => {
        const error = trouble[name]
        if (error !== undefined) throw error
        return (of[name] as (...given: unknown[]) => unknown).apply(of, args)
      },
  })
  return { kept, failing, trouble }
}

test('a topology that cannot be taken over at the moment is taken over at the next call', async t => {
  const { kept, failing, trouble } = await troubled(t)
  const first = await nimbusFor(t, { notes: kept })
  await first.client.call('submitTopology', submission)
  const { client } = await nimbusFor(t, { host: first.host, notes: failing })
  trouble.download = new EngineError('NO_MASTER', 'no master leads')
  t.deepEqual(await client.call('getTopologySummaries', {}), [])
  delete trouble.download
  const [found] = await client.call('getTopologySummaries', {})
  t.is(found?.name, 'wc')
})

test('a submission that cannot be noted is refused with the first reason, though it cannot be taken back', async t => {
  const { failing, trouble } = await troubled(t)
  const { client } = await nimbusFor(t, { notes: failing })
  trouble.write = new EngineError('STORE_UNAVAILABLE', 'the disk is full')
  trouble.remove = new EngineError('NO_MASTER', 'no master leads')
  await t.throwsAsync(client.call('submitTopology', submission), {
    name: 'InvalidTopologyException',
    message: /the disk is full/,
  })
  t.true(await client.call('isTopologyNameAllowed', { name: 'wc' }))
})
