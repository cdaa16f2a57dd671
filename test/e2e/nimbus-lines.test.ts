// Unmodified Java clients of every old line of Storm: each one's own StormSubmitter and NimbusClient submit, list, rebalance
// and kill a topology. The newest line is nimbus-java.test.ts.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { counted, expectedWords, runNimbus } from './nimbus/nimbus-run.ts'

const run = promisify(execFile)
const HANGS_MS = 120_000

for (const line of ['0.9.7', '0.10.2', '1.0.2', '1.2.4']) {
  realTest(
    test.serial,
    ['multilang', 'storm-lines'],
    `Storm's client ${line} submits, lists, rebalances and kills`,
    async (t, [multilang, lines]) => {
      const dir = mkdtempSync(join(tmpdir(), 'gearpump-line-'))
      t.teardown(() => rmSync(dir, { recursive: true, force: true }))
      // Until 0.10 Storm's classes were in another package.
      const packageName = line.startsWith('0.') ? 'backtype.storm' : 'org.apache.storm'
      const source = readFileSync(new URL('../real/storm-lines/LineTour.java', import.meta.url))
      const file = join(dir, 'LineTour.java')
      writeFileSync(
        file,
        source.toString().replaceAll(/^import STORM\./gm, `import ${packageName}.`),
      )
      const jars = [
        ...[`storm-core-${line}.jar`, 'json-simple-1.1.1.jar', 'slf4j-api-1.7.36.jar'],
        ...['commons-lang-2.6.jar', 'snakeyaml-1.11.jar'],
      ]
      const classpath = [...jars.map(jar => join(lines.dir, jar)), dir].join(':')
      // The jar of 0.9 has sources in it that do not compile.
      mkdirSync(join(dir, 'none'))
      const javac = ['-nowarn', '-sourcepath', join(dir, 'none'), '-cp', classpath, '-d', dir, file]
      await run('javac', javac, { timeout: HANGS_MS })

      const nimbus = await runNimbus(t, join(multilang.dir, 'storm.py'))
      const given = [String(nimbus.port), nimbus.jar, nimbus.collected]
      const { stdout } = await run('java', ['-Xmx256m', '-cp', classpath, 'LineTour', ...given], {
        timeout: HANGS_MS,
      })
      t.deepEqual(stdout.trim().split('\n'), [
        'submitted: ACTIVE 5',
        'listed: tour 5',
        'own: 2',
        'acked: 200',
        'deactivated: INACTIVE',
        'rebalanced: 2 4',
        'dead: tour is not alive',
      ])
      // A spout that was moved begins anew, as in Storm.
      const words = (counts: readonly (readonly [string, number])[]) => counts.map(([word]) => word)
      t.deepEqual(words(counted(nimbus.words())), words(expectedWords(200)))
    },
  )
}
