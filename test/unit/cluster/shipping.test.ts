// The whole way of an application: a project on one host becomes a bundle and portable code, and runs as the same
// application from another directory.
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadCode } from '../../../src/app/code.ts'
import { loadProgram } from '../../../src/client/program-file.ts'
import { fetchBlob } from '../../../src/cluster/blob-fetch.ts'
import { openBlobStore } from '../../../src/cluster/blob-store.ts'
import { makeBundle } from '../../../src/cluster/bundle.ts'
import { unpackBundle } from '../../../src/cluster/bundle-unpack.ts'
import { bundleRootOf, makePortable, revive } from '../../../src/cluster/code-shipping.ts'

const limits = { blobBytesMax: 1 << 20, totalBytesMax: 1 << 20 }

const MODULE = `import { application, graph, processor, program, source } from 'gearpump'
import { readFileSync } from 'node:fs'
const name: string = readFileSync(new URL('../name.txt', import.meta.url), 'utf8')
export default program({
  args: { more: { type: 'string', default: '' } },
  build: ({ more }) => application(name + more, graph(
    source('numbers', () => ({ next: () => 'end' })).to(processor('sum', () => ({ onNext() {} }))),
  )),
})
`

test('an application runs from its bundle on another host as it did at home', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'gear-whole-way-'))
  try {
    const home = join(folder, 'home')
    await mkdir(join(home, 'src'), { recursive: true })
    await writeFile(join(home, 'package.json'), '{"type": "module"}')
    await writeFile(join(home, 'name.txt'), 'summer')
    const file = join(home, 'src/sum.ts')
    await writeFile(file, MODULE)
    const { application } = await loadProgram({
      file,
      doors: [],
      config: {},
      resources: undefined,
      properties: {},
      envFilter: false,
      args: { more: '-1' },
      runDir: folder,
      logDir: undefined,
      startedMs: 0,
    })
    t.is(application.name, 'summer-1')

    const root = await bundleRootOf(file)
    const portable = structuredClone(await makePortable(application.code!, { root }))
    const bundle = await makeBundle(root, { out: join(folder, 'bundle.zip') })
    const master = await openBlobStore(join(folder, 'master'), limits)
    await master.put(createReadStream(bundle.file), bundle.hash)
    await rm(home, { recursive: true })

    const worker = await openBlobStore(join(folder, 'worker'), limits)
    const { hash, sizeBytes } = bundle
    await fetchBlob(worker, hash, sizeBytes, (at, bytes) => master.readChunk(hash, at, bytes))
    const there = join(folder, 'there')
    await unpackBundle(worker.pathOf(hash), there, { hash })
    const again = await loadCode(revive(portable, there))
    t.is(again.name, 'summer-1')
    t.deepEqual(
      again.dag.processors.map(p => p.name),
      application.dag.processors.map(p => p.name),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
