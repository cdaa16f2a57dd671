// `storm blobstore`: lists, reads and writes the blobs that Nimbus keeps for topologies.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { asError, EngineError, nearestName } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import { accessList, parseAccess } from './blob-access.ts'
import { given, leadingOptions, one, readCommandLine, wholeNumber, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { chunksOf } from './upload.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_OK, type NimbusClient, type Surroundings, type Verb } from './verb.ts'

type Run = Verb['run']

/** Keys come in pages; this many pages are more keys than a terminal can take. */
const PAGES_MAX = 10_000

const fileOption = { file: { flags: ['-f', '--file', '--FILE'], takes: 'one' } } as const

const SUBVERBS: Readonly<Record<string, Run>> = {
  list: listBlobs,
  cat,
  create,
  update,
  delete: deleteBlobs,
  'set-acl': setAccess,
  replication,
}

export const blobstoreVerb: Verb = {
  usage: [
    'storm blobstore list [KEY…] | cat KEY [-f FILE] | create KEY [-f FILE] [-a ACL] [-r N]',
    'update KEY [-f FILE] | delete KEY… | set-acl KEY -s ACL | replication KEY --read',
    'replication KEY --update -r N',
  ].join(' | '),
  summary: 'blobs that Nimbus keeps',
  run(argv, around) {
    const { options, rest } = leadingOptions(argv)
    const [verb, ...own] = rest
    const run = SUBVERBS[verb ?? '']
    if (run !== undefined) return run([...options, ...own], around)
    const near = nearestName(verb ?? '', Object.keys(SUBVERBS))
    throw new StormUsageError(
      verb === undefined
        ? `one of ${Object.keys(SUBVERBS).join(', ')} is missing`
        : `there is no "blobstore ${verb}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    )
  },
}

async function listBlobs(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, {})
  const asked = line.words
  await withNimbus(line, around, async ({ client }) => {
    for (const key of asked.length > 0 ? asked : await allKeys(client)) {
      try {
        const { version, settable } = await client.call('getBlobMeta', { key })
        around.out(`${key} ${version} ${accessList(settable.acl)}\n`)
      } catch (error) {
        // A blob may go while it is listed; one that was asked for is told of.
        if (!(error instanceof ThriftException)) throw error
        if (asked.length > 0) around.note(`storm: ${key}: ${refused(error)}`)
      }
    }
  })
  return EXIT_OK
}

function refused(error: ThriftException): string {
  return error.type.name === 'KeyNotFoundException' ? 'NOT FOUND' : 'ACCESS DENIED'
}

async function allKeys(client: NimbusClient): Promise<readonly string[]> {
  const keys: string[] = []
  let session = ''
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await client.call('listBlobs', { session })
    if (page.keys.length === 0) return keys
    keys.push(...page.keys)
    session = page.session
  }
  return keys
}

async function cat(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, fileOption)
  const key = words(line, ['KEY'])[0]!
  const path = one(line, 'file')
  await withNimbus(line, around, async ({ client }) => {
    const { session } = await client.call('beginBlobDownload', { key })
    const file = path === undefined ? undefined : await open(path, 'w')
    try {
      for (;;) {
        const chunk = await client.call('downloadBlobChunk', { session })
        if (chunk.length === 0) break
        if (file !== undefined) await file.write(chunk)
        else {
          around.out(chunk)
          await around.drained()
        }
      }
    } finally {
      await file?.close()
    }
  })
  return EXIT_OK
}

async function create(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, {
    ...fileOption,
    access: { flags: ['-a', '--acl'], takes: 'one' },
    replication: { flags: ['-r', '--replication-factor'], takes: 'one' },
  })
  const key = checkKey(words(line, ['KEY'])[0]!)
  const access = one(line, 'access')
  const acl = access === undefined ? [] : parseAccess(access)
  // -1: Nimbus chooses.
  const replication_factor = wholeNumber(line, 'replication', 1) ?? -1
  await withNimbus(line, around, async ({ client }) => {
    const meta = { acl, replication_factor }
    const session = await client.call('beginCreateBlob', { key, meta })
    await fill(client, session, sourceOf(one(line, 'file'), around))
  })
  around.out(`Successfully created ${key}\n`)
  return EXIT_OK
}

async function update(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, fileOption)
  const key = words(line, ['KEY'])[0]!
  await withNimbus(line, around, async ({ client }) => {
    const session = await client.call('beginUpdateBlob', { key })
    await fill(client, session, sourceOf(one(line, 'file'), around))
  })
  around.out(`Successfully updated ${key}\n`)
  return EXIT_OK
}

function sourceOf(file: string | undefined, around: Surroundings): AsyncIterable<Uint8Array> {
  return file === undefined ? around.stdin : createReadStream(file)
}

async function fill(
  client: NimbusClient,
  session: string,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    for await (const chunk of chunksOf(source)) {
      await client.call('uploadBlobChunk', { session, chunk })
    }
    await client.call('finishBlobUpload', { session })
  } catch (error) {
    await cancel(client, session, error)
    throw error
  }
}

// What was begun is taken back; the first error is the one to tell.
async function cancel(client: NimbusClient, session: string, first: unknown): Promise<void> {
  try {
    await client.call('cancelBlobUpload', { session })
  } catch (cause) {
    throw new EngineError('THRIFT_CALL_FAILED', asError(first).message, {
      hint: `the upload could not be taken back either: ${asError(cause).message}`,
      cause: first,
    })
  }
}

async function deleteBlobs(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, {})
  if (line.words.length === 0) throw new StormUsageError('KEY is missing')
  await withNimbus(line, around, async ({ client }) => {
    for (const key of line.words) {
      await client.call('deleteBlob', { key })
      around.out(`deleted ${key}\n`)
    }
  })
  return EXIT_OK
}

async function setAccess(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, { access: { flags: ['-s', '--set'], takes: 'one' } })
  const key = words(line, ['KEY'])[0]!
  const text = one(line, 'access')
  await withNimbus(line, around, async ({ client }) => {
    const before = await client.call('getBlobMeta', { key })
    const acl = text === undefined ? before.settable.acl : parseAccess(text)
    await client.call('setBlobMeta', { key, meta: { acl } })
    around.out(`Setting ACL for ${key} to ${accessList(acl)}\n`)
  })
  return EXIT_OK
}

async function replication(argv: readonly string[], around: Surroundings): Promise<number> {
  const line = readCommandLine(argv, {
    read: { flags: ['--read'], takes: 'nothing' },
    update: { flags: ['--update'], takes: 'nothing' },
    factor: { flags: ['-r', '--replication-factor'], takes: 'one' },
  })
  const key = words(line, ['KEY'])[0]!
  if (given(line, 'read') === given(line, 'update')) {
    throw new StormUsageError('give --read, or --update with -r N')
  }
  const factor = wholeNumber(line, 'factor', 1)
  if (given(line, 'update') && factor === undefined) {
    throw new StormUsageError('--update needs the replication factor: -r N')
  }
  await withNimbus(line, around, async ({ client }) => {
    if (factor === undefined || given(line, 'read')) {
      const now = await client.call('getBlobReplication', { key })
      around.out(`Current replication factor ${now}\n`)
      return
    }
    const set = await client.call('updateBlobReplication', { key, replication: factor })
    around.out(`Replication factor is set to ${set}\n`)
  })
  return EXIT_OK
}

// Storm's own rule for keys.
function checkKey(key: string): string {
  if (/^[\w \t.:_-]+$/.test(key) && key !== '.' && key !== '..') return key
  throw new StormUsageError(`"${key}" is no key: use letters, digits, blanks, and . _ : -`)
}
