// Batches of one turn on a link that answers by hand: which requests they leave in, and whose answer is whose.
import test from 'ava'
import type { ProduceAnswer, WireRequest } from '../../../../../connectors/kafka/wire/requests.ts'
import { SharedRequests } from '../../../../../connectors/kafka/wire/shared-requests.ts'
import { WireReader, WireWriter } from '../../../../../connectors/kafka/wire/wire-bytes.ts'
import type { WireClient } from '../../../../../connectors/kafka/wire/wire-client.ts'

const TERMS = { acks: -1, transactionalId: null, timeoutMs: 1000 }

interface Sent {
  readonly node: number
  readonly places: readonly string[]
  readonly acks: number
}

/** What a Produce request asks for, read back from its bytes. */
function readRequest(request: WireRequest<unknown>): Omit<Sent, 'node'> {
  const writer = new WireWriter()
  request.write(writer)
  const reader = new WireReader(writer.buffer)
  reader.nullableText()
  const acks = reader.int16()
  reader.int32()
  const places = reader
    .list(() => {
      const topic = reader.text()
      return reader.list(() => {
        const place = `${topic}-${reader.int32()}`
        for (let left = reader.int32(); left > 0; left--) reader.int8()
        return place
      })
    })
    .flat()
  return { places, acks }
}

function rig(answer: (sent: Sent) => readonly ProduceAnswer[] = () => []) {
  const sent: Sent[] = []
  const client = {
    send: async (node: number, request: WireRequest<unknown>) => {
      const one = { node, ...readRequest(request) }
      sent.push(one)
      return answer(one)
    },
  } as unknown as WireClient
  return { sent, requests: new SharedRequests(client) }
}

function batch(topic: string, partition: number, bytes = 10) {
  return { topic, partition, batch: Buffer.alloc(bytes) }
}

test('batches of one turn to one node share a request; another node, and another turn, have their own', async t => {
  const { sent, requests } = rig()
  await Promise.all([
    requests.send(1, batch('a', 0), TERMS),
    requests.send(2, batch('a', 1), TERMS),
    requests.send(1, batch('b', 0), TERMS),
    requests.send(1, batch('a', 2), TERMS),
  ])
  await requests.send(1, batch('a', 0), TERMS)
  t.deepEqual(
    sent.map(({ node, places }) => [node, ...places]),
    [
      [1, 'a-0', 'a-2', 'b-0'],
      [2, 'a-1'],
      [1, 'a-0'],
    ],
  )
})

test('one partition is in a request once, and a request is not larger than its bound', async t => {
  const { sent, requests } = rig()
  const half = 40 * 1024
  await Promise.all([
    requests.send(1, batch('a', 0), TERMS),
    requests.send(1, batch('a', 0), TERMS),
    requests.send(1, batch('a', 1, half), TERMS),
    requests.send(1, batch('a', 2, half), TERMS),
    requests.send(1, batch('a', 3, 4 * half), TERMS),
  ])
  t.deepEqual(
    sent.map(({ places }) => places),
    [['a-0'], ['a-0', 'a-1'], ['a-2'], ['a-3']],
  )
})

test('transactions do not share', async t => {
  const { sent, requests } = rig()
  await Promise.all([
    requests.send(1, batch('a', 0), { ...TERMS, transactionalId: 'one' }),
    requests.send(1, batch('a', 1), { ...TERMS, transactionalId: 'two' }),
    requests.send(1, batch('a', 2), { ...TERMS, transactionalId: 'one' }),
  ])
  t.deepEqual(
    sent.map(({ places }) => places),
    [['a-0', 'a-2'], ['a-1']],
  )
})

test('a request that fails is told to all that went with it, and to nobody else', async t => {
  const { requests } = rig(({ node }) => {
    if (node === 1) throw new Error('broken pipe')
    return [{ topic: 'a', partition: 2, error: 0, baseOffset: 7 }]
  })
  const ends = await Promise.allSettled([
    requests.send(1, batch('a', 0), TERMS),
    requests.send(1, batch('a', 1), TERMS),
    requests.send(2, batch('a', 2), TERMS),
  ])
  t.deepEqual(
    ends.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  )
})
