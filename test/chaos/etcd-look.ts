// Looks into the etcd of a cluster from outside, by its JSON gateway: leases that are alive, and the history of what was
// written, which is what tells whether somebody wrote who had no right to.
import { EtcdClient } from '../../src/cluster/store/etcd-client.ts'
import { until } from '../e2e/until.ts'

/** How many leases are alive. */
export async function leasesOf(endpoint: string): Promise<number> {
  const client = new EtcdClient({ endpoints: [`http://${endpoint}`] })
  try {
    const { leases } = (await client.post('/v3/lease/leases', {})) as { leases?: unknown[] }
    return leases?.length ?? 0
  } finally {
    client.close()
  }
}

export interface Write {
  readonly key: string
  readonly value: string
  readonly revision: number
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const text = (encoded: string | undefined) => Buffer.from(encoded ?? '', 'base64').toString('utf8')

/** The revision that the store has now. */
export async function revisionOf(endpoint: string): Promise<number> {
  const client = new EtcdClient({ endpoints: [`http://${endpoint}`] })
  try {
    const answer = await client.post('/v3/kv/range', { key: base64('none') })
    return Number(answer.header.revision)
  } finally {
    client.close()
  }
}

/** Every write after `revision` whose key begins with `prefix`, up to now. */
export async function writesSince(
  endpoint: string,
  prefix: string,
  revision: number,
): Promise<Write[]> {
  const last = await revisionOf(endpoint)
  const client = new EtcdClient({ endpoints: [`http://${endpoint}`] })
  const writes: Write[] = []
  let seen = revision
  // All keys: the last revision may be of another one than those that are looked for.
  const request = {
    create_request: { key: base64('\0'), range_end: base64('\0'), start_revision: revision + 1 },
  }
  const stream = client.stream('/v3/watch', request, line => {
    for (const { kv } of line.result.events ?? []) {
      seen = Math.max(seen, Number(kv.mod_revision))
      const key = text(kv.key)
      if (key.startsWith(prefix))
        writes.push({ key, value: text(kv.value), revision: Number(kv.mod_revision) })
    }
  })
  try {
    await until(`revision ${last} is seen`, () => seen >= last)
    return writes
  } finally {
    stream.cancel()
    client.close()
  }
}
