// What etcd remembers of the writes that `candidate.ts` made.
import { EtcdClient } from '../../../src/cluster/store/etcd-client.ts'
import { storeKeys } from '../../../src/cluster/store/store-keys.ts'
import { until } from '../until.ts'

/** Every value that the key `written` ever had, in order: who wrote it under which fence, and the revision. */
export async function writesOf(endpoint: string) {
  const key = Buffer.from(`${storeKeys('gearpump').data}written`).toString('base64')
  const client = new EtcdClient({ endpoints: [endpoint] })
  const writes: { by: string; fence: number; revision: number }[] = []
  const last = await client.post('/v3/kv/range', { key })
  const lastRevision = Number(last.kvs[0].mod_revision)
  const stream = client.stream(
    '/v3/watch',
    { create_request: { key, start_revision: 1 } },
    line => {
      for (const { kv } of line.result.events ?? []) {
        const [by, fence] = Buffer.from(kv.value, 'base64').toString('utf8').split(' ')
        writes.push({ by: by!, fence: Number(fence), revision: Number(kv.mod_revision) })
      }
    },
  )
  // A write of one that was just killed may come after the look.
  await until('all writes were seen', () => (writes.at(-1)?.revision ?? 0) >= lastRevision)
  stream.cancel()
  client.close()
  return writes
}
