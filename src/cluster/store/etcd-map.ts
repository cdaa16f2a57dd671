// etcd as a lease map: what election and commits ask for, in the words of etcd's JSON gateway (`/v3`, etcd 3.4 and
// later). Keys and values are base64, numbers of 64 bits are texts, and zero values are absent from answers.
import type { Environment } from '../../base/environment.ts'
import { asError, type EngineError } from '../../base/errors.ts'
import { type EtcdClient, type EtcdJson, EtcdRefusal } from './etcd-client.ts'
import {
  type Comparison,
  LeaseGone,
  type LeaseMap,
  type Pair,
  type Step,
  type Transaction,
  type TransactionAnswer,
} from './lease-map.ts'
import { Pause } from './pause.ts'
import { unavailable } from './store-errors.ts'

/** Entries per request of a list; values are small, and an answer must come within a second. */
const PAGE_ENTRIES = 200
/** After a watch has ended; whoever watches looks by himself each second anyway. */
const WATCH_RETRY_MS = 200
/** A link can be cut without a sign; a watch that is begun anew in between does not stay deaf. */
const WATCH_MS = 30_000

export class EtcdMap implements LeaseMap {
  readonly kind = 'etcd'
  readonly #client: EtcdClient
  readonly #environment: Environment
  readonly #watches = new Set<Watch>()

  constructor(client: EtcdClient, environment: Environment) {
    this.#client = client
    this.#environment = environment
  }

  async transact(transaction: Transaction): Promise<TransactionAnswer> {
    const { compare, success, failure } = transaction
    const answer = await this.#ask('/v3/kv/txn', {
      compare: compare.map(comparisonJson),
      success: success.map(stepJson),
      failure: failure.map(stepJson),
    })
    const succeeded = answer.succeeded === true
    const found: (Pair | undefined)[] = []
    for (const [i, step] of (succeeded ? success : failure).entries()) {
      if ('get' in step) found.push(pairOf(answer.responses?.[i]?.response_range?.kvs?.[0]))
    }
    return { succeeded, revision: Number(answer.header.revision), found }
  }

  async list(prefix: string): Promise<readonly Pair[]> {
    const pairs: Pair[] = []
    const end = Buffer.from(prefix)
    end[end.length - 1]! += 1
    let revision: string | undefined
    for (let from = base64(prefix); ; ) {
      const answer = await this.#ask('/v3/kv/range', {
        key: from,
        range_end: end.toString('base64'),
        limit: PAGE_ENTRIES,
        // All pages are of one moment, that of the first.
        ...(revision === undefined ? {} : { revision }),
      })
      revision ??= String(answer.header.revision)
      for (const kv of answer.kvs ?? []) pairs.push(pairOf(kv)!)
      if (answer.more !== true) return pairs
      from = Buffer.from(`${pairs.at(-1)!.key}\0`).toString('base64')
    }
  }

  async grant(ttlMs: number): Promise<{ id: string; ttlMs: number }> {
    const answer = await this.#ask('/v3/lease/grant', { TTL: Math.ceil(ttlMs / 1000) })
    return { id: String(answer.ID), ttlMs: Number(answer.TTL) * 1000 }
  }

  async keepAlive(id: string): Promise<number | undefined> {
    const answer = await this.#ask('/v3/lease/keepalive', { ID: id })
    const ttl = Number(answer.result?.TTL ?? 0)
    return ttl > 0 ? ttl * 1000 : undefined
  }

  async revoke(id: string): Promise<void> {
    try {
      await this.#ask('/v3/lease/revoke', { ID: id })
    } catch (error) {
      if (!(error instanceof LeaseGone)) throw error
    }
  }

  watch(key: string, onHint: () => void): { cancel(): void } {
    const watch = new Watch(this.#client, this.#environment, { key, onHint })
    this.#watches.add(watch)
    return {
      cancel: () => {
        watch.cancel()
        this.#watches.delete(watch)
      },
    }
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.cancel()
    this.#client.close()
  }

  async #ask(path: string, body: object): Promise<EtcdJson> {
    try {
      return await this.#client.post(path, body)
    } catch (error) {
      if (!(error instanceof EtcdRefusal)) throw error
      if (error.notFound && /lease/.test(error.message)) throw new LeaseGone()
      // The page of a list that took too long; the list is begun anew.
      if (/compacted/.test(error.message)) {
        throw unavailable(`etcd: ${error.message}`, { outcome: 'none', cause: error })
      }
      throw refused(this.#client.endpoint, path, error)
    }
  }
}

// Hints that a key has changed, until cancelled. Begins again after the last revision it knows of.
class Watch {
  readonly #client: EtcdClient
  readonly #pause: Pause
  readonly #key: string
  readonly #onHint: () => void
  readonly #environment: Environment
  #cancelled = false
  #next = 0
  #cancelStream: () => void = () => undefined

  constructor(
    client: EtcdClient,
    environment: Environment,
    options: { key: string; onHint: () => void },
  ) {
    this.#client = client
    this.#environment = environment
    this.#pause = new Pause(environment)
    this.#key = base64(options.key)
    this.#onHint = options.onHint
    void this.#run()
  }

  cancel(): void {
    this.#cancelled = true
    this.#cancelStream()
    this.#pause.wake()
  }

  async #run(): Promise<void> {
    while (!this.#cancelled) {
      const request: Record<string, unknown> = { key: this.#key }
      if (this.#next > 0) request.start_revision = this.#next
      const stream = this.#client.stream('/v3/watch', { create_request: request }, line =>
        this.#read(line.result),
      )
      this.#cancelStream = stream.cancel
      const life = this.#environment.after(WATCH_MS, stream.cancel)
      await stream.ended
      life.cancel()
      if (!this.#cancelled) await this.#pause.wait(WATCH_RETRY_MS)
    }
  }

  #read(result: EtcdJson): void {
    if (this.#cancelled || result === undefined) return
    if (result.canceled === true) {
      // Compacted: what we wanted to begin with is no more.
      this.#next = Number(result.compact_revision ?? 0)
      this.#cancelStream()
      return
    }
    const changed = result.events !== undefined
    // The first word of a watch tells the revision of now, which the events up to it have yet to follow.
    if (changed || this.#next === 0) this.#next = Number(result.header?.revision ?? 0) + 1
    if (changed) this.#onHint()
  }
}

function comparisonJson(comparison: Comparison): object {
  const key = base64(comparison.key)
  return 'createRevision' in comparison
    ? { key, target: 'CREATE', result: 'EQUAL', create_revision: `${comparison.createRevision}` }
    : { key, target: 'MOD', result: 'EQUAL', mod_revision: `${comparison.revision}` }
}

function stepJson(step: Step): object {
  if ('get' in step) return { request_range: { key: base64(step.get) } }
  if ('delete' in step) return { request_delete_range: { key: base64(step.delete) } }
  const put = { key: base64(step.put), value: base64(step.value) }
  return { request_put: step.lease === undefined ? put : { ...put, lease: step.lease } }
}

function pairOf(kv: EtcdJson): Pair | undefined {
  if (kv === undefined) return undefined
  return {
    key: Buffer.from(kv.key, 'base64').toString('utf8'),
    value: Buffer.from(kv.value ?? '', 'base64').toString('utf8'),
    createRevision: Number(kv.create_revision),
    revision: Number(kv.mod_revision),
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function refused(endpoint: string, path: string, error: unknown): EngineError {
  return unavailable(`etcd at ${endpoint} refuses ${path}: ${asError(error).message}`, {
    outcome: 'none',
    lasting: true,
    hint: 'check its version (3.4 or later), its limits, and the permissions of the user',
    cause: error,
  })
}
