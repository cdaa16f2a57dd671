// Unmodified Python clients of Nimbus: thriftpy2 with Storm's interface definition as streamparse brings it, and streamparse's
// own command.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { counted, expectedWords, jarOf, runNimbus } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

realTest(
  test,
  ['multilang', 'streamparse'],
  'thriftpy2 submits a topology on storm.py, looks at it, changes it and kills it',
  async (t, [multilang, streamparse]) => {
    const run = await runNimbus(t, join(multilang.dir, 'storm.py'))
    const tour = new URL('./nimbus/tour.py', import.meta.url).pathname
    const output = await run.client(streamparse.program!, [
      tour,
      String(run.port),
      run.jar,
      run.collected,
    ])
    t.deepEqual(JSON.parse(output), {
      submitted: 'INACTIVE',
      again: ['AlreadyAliveException', 'tour is already active'],
      activated: 'ACTIVE',
      // Task 1 is the acker that Storm would have.
      executors: [
        ['collect', 2, 2],
        ['collect', 3, 3],
        ['sentences', 4, 4],
        ['split', 5, 5],
        ['split', 6, 6],
      ],
      executed: 1400,
      split: [1400, 2, 2],
      conf: true,
      user_topology: true,
      deactivated: 'INACTIVE',
      rebalanced: [5, 4],
      killed: 'KILLED',
      waited: true,
      dead: ['NotAliveException', `${/tour-1-\d+/.exec(output)![0]} is not alive`],
    })
    t.deepEqual(counted(run.words()), expectedWords(200))
  },
)

realTest(
  test,
  ['streamparse'],
  'sparse submits a project, lists it, submits it anew by force, and kills it',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const bin = dirname(streamparse.program!)
    // The components are started by the name that streamparse gives.
    const path = process.env.PATH
    process.env.PATH = `${bin}:${path}`
    t.teardown(() => {
      process.env.PATH = path
    })
    const project = join(run.dir, 'project')
    const config = {
      serializer: 'json',
      topology_specs: 'topologies/',
      virtualenv_specs: 'virtualenvs/',
      envs: {
        prod: {
          user: '',
          nimbus: `localhost:${run.port}`,
          workers: ['localhost'],
          log: { path: '', file: '', max_bytes: 1000000, backup_count: 10, level: 'info' },
          use_ssh_for_nimbus: false,
          use_virtualenv: false,
          virtualenv_root: '',
          options: { 'collect.file': run.collected },
        },
      },
    }
    writeFileSync(join(project, 'config.json'), JSON.stringify(config))
    writeFileSync(run.jar, jarOf(join(project, 'src')))
    const sparse = (...args: string[]) => run.client(join(bin, 'sparse'), args, project)

    t.regex(
      await sparse('submit', '-n', 'words', '-j', run.jar),
      /Submitting words topology to nimbus\.\.\.\s*done/,
    )
    await until('all words are there', () => run.words().length === 700)
    t.deepEqual(counted(run.words()), expectedWords(100))
    // Its table breaks words where a column ends.
    t.regex(await sparse('list'), /\| words \| 4 .*\| ACTI \|/)
    t.regex(
      await sparse('submit', '-n', 'words', '-j', run.jar, '--force', '--wait', '0'),
      /Killed\.[\s\S]*done/,
    )
    await until('all words are there once more', () => run.words().length === 1400)
    await sparse('kill', '-n', 'words', '--wait', '0')
    await until('the list is empty', async () => !(await sparse('list')).includes('words'))
    t.pass()
  },
)
