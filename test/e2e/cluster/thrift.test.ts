// `gear local --thrift-port`: an unmodified Thrift client submits a topology to a cluster of real workers, which fetch its
// resources and run its Python components.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { realTest } from '../../real/parts.ts'
import { counted, expectedWords, jarOf } from '../nimbus/nimbus-run.ts'
import { localCluster } from './processes.ts'

const NIMBUS = fileURLToPath(new URL('../nimbus', import.meta.url))

realTest(
  test,
  ['multilang', 'streamparse'],
  'a topology that comes over Thrift runs on the workers of a cluster',
  async (t, [multilang, streamparse]) => {
    const { process: cluster } = await localCluster(t, ['--workers', '2', '--thrift-port', '0'])
    const [, port] = await cluster.says(/Storm's clients at \S+:(\d+)/)
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
    t.teardown(() => rmSync(dir, { recursive: true }))
    const jar = join(dir, 'topology.jar')
    const collected = join(dir, 'words.txt')
    writeFileSync(jar, jarOf(join(NIMBUS, 'resources'), join(multilang.dir, 'storm.py')))
    const program = streamparse.program!
    const { stdout } = await promisify(execFile)(
      program,
      [join(NIMBUS, 'tour.py'), port!, jar, collected],
      {
        timeout: 150_000,
        env: { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` },
      },
    )
    t.like(JSON.parse(stdout), { submitted: 'INACTIVE', activated: 'ACTIVE', killed: 'KILLED' })
    t.true(existsSync(collected))
    t.deepEqual(
      counted(readFileSync(collected, 'utf8').split('\n').slice(0, -1)),
      expectedWords(200),
    )
  },
)
