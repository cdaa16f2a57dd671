// What `sparse quickstart` makes, taken through all of streamparse's commands, unmodified, in the order in which somebody tries it
// for the first time. Some programs are stood in for: Leiningen, which packs the project, virtualenv and its pip, which would load
// streamparse from the network, and sudo; the host of the workers is this machine, by SSH on a free port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { realTest } from '../real/parts.ts'
import { type NimbusRun, runNimbus } from './nimbus/nimbus-run.ts'
import { sparseBeside } from './nimbus/sparse-programs.ts'
import { until } from './until.ts'

const SSH_SERVER = fileURLToPath(new URL('nimbus/ssh-server.py', import.meta.url))

/** Of the project.clj that is there; `jar` and `uberjar` are named as Leiningen names them. */
const LEIN = `#!/bin/sh
name=wordcount-0.0.1-SNAPSHOT
case "$1" in
  deps) grep -o '\\[org.apache.storm/storm-core "[^"]*"\\]' project.clj ;;
  jar) jar=$name.jar ;;
  uberjar) jar=$name-standalone.jar ;;
esac
if [ -n "$jar" ]; then
  mkdir -p _build
  (cd _resources && python3 -m zipfile -c ../_build/$jar resources)
  echo "Created $PWD/_build/$jar"
fi
`

/** What virtualenv makes of streamparse's own environment; its pip only says what it was asked for. */
const VIRTUALENV = (bin: string) => `#!/bin/sh
for word; do case "$word" in -*) ;; *) path=$word ;; esac; done
mkdir -p "$path/bin"
for name in python python3 streamparse_run; do ln -s ${bin}/$name "$path/bin/$name"; done
printf '#!/bin/sh\\necho "$@" >>%s/pip.txt\\n' "$path" >"$path/bin/pip"
chmod +x "$path/bin/pip"
`

/** Runs the command as whoever asks; a login shell would not find the programs that stand in. */
const SUDO = `#!/bin/sh
for word; do :; done
exec sh -c "$word"
`

/** Runs `sparse` in a folder, with what it calls on the way of all programs. */
function sparseIn(t: ExecutionContext, run: NimbusRun, streamparse: string) {
  const program = sparseBeside(t, run, streamparse, {
    lein: LEIN,
    sudo: SUDO,
    virtualenv: VIRTUALENV(dirname(streamparse)),
  })
  return (...args: string[]) =>
    run.client(program, args, existsSync(folderOf(run)) ? folderOf(run) : run.dir)
}

const folderOf = (run: NimbusRun) => join(run.dir, 'wordcount')

async function sshServer(t: ExecutionContext, python: string): Promise<number> {
  const server = spawn(python, ['-W', 'ignore', SSH_SERVER], { stdio: ['pipe', 'pipe', 'ignore'] })
  t.teardown(() => void server.kill('SIGKILL'))
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  return Number(line.toString())
}

/** Fills in what the generated config.json leaves open, and nothing else. */
function configure(run: NimbusRun, values: Readonly<Record<string, unknown>>): string {
  const file = join(folderOf(run), 'config.json')
  const config = JSON.parse(readFileSync(file, 'utf8'))
  const logs = join(run.dir, 'logs')
  mkdirSync(logs, { recursive: true })
  Object.assign(
    config.envs.prod,
    { nimbus: `localhost:${run.port}`, 'ui.port': run.uiPort },
    values,
  )
  config.envs.prod.use_ssh_for_nimbus = false
  config.envs.prod.log.path = logs
  writeFileSync(file, JSON.stringify(config))
  return logs
}

function textOf(folder: string): string {
  return readdirSync(folder)
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}

realTest(
  test.serial,
  ['streamparse'],
  'the project that sparse quickstart makes is submitted as it is, with its virtualenv, and tailed by SSH',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const sparse = sparseIn(t, run, streamparse.program!)
    t.regex(await sparse('quickstart', 'wordcount'), /Done\./)
    const workers = [`localhost:${await sshServer(t, streamparse.program!)}`]
    const virtualenvs = join(run.dir, 'virtualenvs')
    const logs = configure(run, { workers, ssh_password: 'any', virtualenv_root: virtualenvs })

    t.regex(await sparse('submit'), /Submitting wordcount topology to nimbus\.\.\.\s*done/)
    t.regex(
      readFileSync(join(virtualenvs, 'wordcount', 'pip.txt'), 'utf8'),
      /install -r \/tmp\/streamparse_requirements-/,
    )
    await until('the bolts have counted', () => /counted \[[\d,]+\] words/.test(textOf(logs)))
    // Its table breaks words where a column ends.
    t.regex(await sparse('list'), /\| wordc \| wordc \| 3 .*\| ACTI \|/)
    const stats = await sparse('stats', '-n', 'wordcount', '-c', 'count_bolt')
    t.regex(stats, /word_spout/)
    t.regex(await sparse('tail', '-n', 'wordcount'), /out: .*counted \[[\d,]+\] words/)
    await sparse('kill', '--wait', '0')
    await until('the list is empty', async () => !(await sparse('list')).includes('wordc'))
  },
)

realTest(
  test.serial,
  ['streamparse'],
  'sparse run wants the version of Storm that `storm version` says in project.clj, and then runs the project here',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const sparse = sparseIn(t, run, streamparse.program!)
    await sparse('quickstart', 'wordcount')
    const logs = configure(run, { use_virtualenv: false })
    const refused = await t.throwsAsync(sparse('run', '-t', '5000'))
    t.regex(refused.message, /Local Storm version, 2\.8\.1, is not the same .* 1\.1\.0/)
    const file = join(folderOf(run), 'project.clj')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"1.1.0"', '"2.8.1"'))
    // streamparse calls it seconds and hands it to Flux, which takes milliseconds.
    t.regex(await sparse('run', '-t', '15000'), /Uber-JAR created: .*standalone\.jar/)
    t.regex(textOf(logs), /counted \[[\d,]+\] words/)
  },
)

realTest(
  test.serial,
  ['streamparse'],
  'sparse tail without SSH to the workers ends with the reason',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const sparse = sparseIn(t, run, streamparse.program!)
    await sparse('quickstart', 'wordcount')
    configure(run, { workers: ['localhost:1'], use_virtualenv: false })
    const refused = await t.throwsAsync(sparse('tail'))
    t.regex(refused.message, /connecting to host localhost on port 1: Unable to connect/)
  },
)
