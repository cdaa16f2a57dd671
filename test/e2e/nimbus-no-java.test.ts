// A topology of Java's ShellSpout and ShellBolt subclasses, as `storm jar` submits it, on a host that has no Java.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { connectThrift } from '../../storm-compat/thrift/client.ts'
import { nimbusMethods } from '../../storm-compat/thrift/storm-nimbus.ts'
import { realTest } from '../real/parts.ts'
import { zip } from '../unit/storm-compat/nimbus/_zip.ts'
import { GearProcess, privateDirectory } from './cluster/processes.ts'
import { until } from './until.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/java', import.meta.url))
const COLLECT = fileURLToPath(new URL('./nimbus/resources/collect.py', import.meta.url))

// The file names are those that the committed Java objects have in them.
const SPOUT = `
const storm = require('./storm')
function Sentences() { storm.Spout.call(this); this.next = 0 }
Sentences.prototype = Object.create(storm.Spout.prototype)
Sentences.prototype.initialize = function (conf, context, done) { done() }
Sentences.prototype.nextTuple = function (done) {
  if (this.next < 100) this.emit({ tuple: ['no java ' + this.next], id: this.next++ }, () => undefined)
  done()
}
Sentences.prototype.ack = function (id, done) { done() }
Sentences.prototype.fail = function (id, done) { done() }
new Sentences().run()
`
const BOLT = `
import storm
class Split(storm.BasicBolt):
    def process(self, tup):
        for word in tup.values[0].split(" "):
            storm.emit([word])
Split().run()
`

realTest(
  test,
  ['multilang'],
  'shell components that Java serialised run on a host without Java',
  async (t, [multilang]) => {
    const dir = privateDirectory(t)
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    // What PATH finds may be a script that chooses among several.
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'])
    symlinkSync(python.toString().trim(), join(bin, 'python3'))
    t.throws(() => execFileSync('java', ['-version'], { env: { PATH: bin } }), { code: 'ENOENT' })
    const cluster = new GearProcess(
      [...['local', '--port', '0', '--workers', '2', '--thrift-port', '0'], '--host.dataDir', dir],
      { PATH: bin, JAVA_HOME: undefined },
    )
    t.teardown(() => cluster.end())
    const [, port] = await cluster.says(/Storm's clients at \S+:(\d+)/)
    const client = await connectThrift({
      ...{ methods: nimbusMethods, host: '127.0.0.1', port: Number(port) },
    })
    t.teardown(() => client.close())

    const location = await client.call('beginFileUpload', {})
    const file = (name: string, content: string | Buffer) => ({
      name: `resources/${name}`,
      content,
    })
    const chunk = zip(
      file('randomsentence.js', SPOUT),
      file('splitsentence.py', BOLT),
      file('collect.py', readFileSync(COLLECT)),
      ...['storm.py', 'storm.js'].map(name => file(name, readFileSync(join(multilang.dir, name)))),
    )
    await client.call('uploadChunk', { location, chunk })
    await client.call('finishFileUpload', { location })
    const java = (path: string) =>
      ({ kind: 'serialized_java', value: readFileSync(join(FIXTURES, path)) }) as const
    const streams = new Map([['default', { output_fields: ['word'], direct: false }]])
    const from = (componentId: string) => ({ componentId, streamId: 'default' })
    const collected = join(dir, 'words')
    await client.call('submitTopology', {
      name: 'words',
      uploadedJarLocation: location,
      jsonConf: JSON.stringify({ 'collect.file': collected, 'topology.workers': 2 }),
      topology: {
        spouts: new Map([
          [
            'sentences',
            { spout_object: java('2.8.1/sentences.bin'), common: { inputs: [], streams } },
          ],
        ]),
        bolts: new Map([
          [
            'split',
            {
              bolt_object: java('0.10.2/split.bin'),
              common: {
                inputs: [[from('sentences'), { kind: 'shuffle', value: {} }]],
                streams,
                parallelism_hint: 2,
              },
            },
          ],
          [
            'collect',
            {
              bolt_object: {
                kind: 'shell',
                value: { execution_command: 'python3', script: 'collect.py' },
              },
              common: {
                inputs: [[from('split'), { kind: 'fields', value: ['word'] }]],
                streams: new Map(),
              },
            },
          ],
        ]),
        state_spouts: new Map(),
      },
    })
    const words = () =>
      existsSync(collected) ? readFileSync(collected, 'utf8').split('\n').slice(0, -1) : []
    await until('all words are there', () => words().length >= 300)
    t.is(words().filter(word => word === 'java').length, 100)
  },
)
