import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { childEnvironment, spawnShell } from '../../../../storm-compat/multilang/child-process.ts'
import { systemClock } from '../../../../storm-compat/multilang/clock.ts'
import { livingPids } from '../../../../storm-compat/multilang/pid-files.ts'
import type { ShellExit, ShellProcess } from '../../../../storm-compat/multilang/shell-process.ts'

interface Watched {
  process: ShellProcess
  directory: string
  lines: string[]
  exit: Promise<ShellExit>
  /** Resolves with what the output so far matches: a pattern with its end, for output may come in pieces. */
  saw(pattern: RegExp): Promise<RegExpExecArray>
}

function start(
  t: ExecutionContext,
  command: readonly string[],
  more: { env?: Record<string, string> } = {},
): Watched {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'shell-')))
  const lines: string[] = []
  let output = ''
  let look: () => void = () => undefined
  let ended: (exit: ShellExit) => void = () => undefined
  const exit = new Promise<ShellExit>(resolve => {
    ended = resolve
  })
  const process = spawnShell(
    {
      command,
      env: more.env ?? {},
      changeChildCwd: true,
      resources: directory,
      pidDir: join(directory, 'pids'),
      clock: systemClock,
    },
    {
      output: chunk => {
        output += chunk.toString()
        look()
      },
      drained: () => undefined,
      stderrLine: line => lines.push(line),
      ended: e => ended(e),
      startFailed: error => t.fail(error.message),
    },
  )
  t.teardown(() => process.stop())
  const saw = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise(resolve => {
      look = () => {
        const match = pattern.exec(output)
        if (match !== null) resolve(match)
      }
      look()
    })
  return { process, directory, lines, exit, saw }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Resolves when the process is gone: init may take a moment to reap what was killed. */
async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise(resolve => setImmediate(resolve))
}

test('P5: the argv arrives as it is: no shell, no splitting; the working directory is the resources', async t => {
  const script = 'import os, sys; print(sys.argv[1:], os.getcwd(), flush=True)'
  const { saw, directory, exit } = start(t, [
    'python3',
    '-c',
    script,
    '-s json bolts.X',
    '$HOME; echo',
  ])
  t.is((await saw(/.*\n/))[0], `['-s json bolts.X', '$HOME; echo'] ${directory}\n`)
  t.deepEqual(await exit, { code: 0, signal: null, stderrTail: [] })
})

test('P6: PATH is appended to ours, everything else replaces', t => {
  const env = childEnvironment(
    { PATH: '/opt/x', HOME: '/h' },
    { PATH: '/bin', HOME: '/root', LANG: 'C' },
  )
  t.deepEqual(env, { PATH: '/bin:/opt/x', HOME: '/h', LANG: 'C' })
  t.deepEqual(childEnvironment({ PATH: '/opt/x' }, {}), { PATH: '/opt/x' })
})

test('P15: a child that floods stderr does not stop; its last 50 lines are kept', async t => {
  const script =
    'import sys\nfor i in range(20000): sys.stderr.write("line %d\\n" % i)\nsys.stderr.write("no end")'
  const { exit, lines } = start(t, ['python3', '-c', script])
  const { code, stderrTail } = await exit
  t.is(code, 0)
  t.is(stderrTail.length, 50)
  t.is(stderrTail.at(-1), 'no end')
  t.is(stderrTail[0], 'line 19951')
  t.is(lines.length, 20_001)
})

test('what a child says just before its death is heard before the death', async t => {
  const { exit, saw } = start(t, [
    'python3',
    '-c',
    'import os; os.write(1, b"x" * 100000 + b"last"); os._exit(3)',
  ])
  t.is((await exit).code, 3)
  t.is((await saw(/x*last$/))[0].length, 100_004)
})

const WHAT_STDOUT_IS =
  'import os, stat; print("fifo" if stat.S_ISFIFO(os.fstat(1).st_mode) else "other")'

test('what a child writes goes through a pipe of the kernel, whose name is gone at once', async t => {
  const { directory, saw, exit } = start(t, ['python3', '-c', WHAT_STDOUT_IS])
  await saw(/fifo\n/)
  t.is((await exit).code, 0)
  t.deepEqual(readdirSync(directory, { recursive: true }), ['pids'])
})

test.serial('without mkfifo a child is given what Node has', async t => {
  const { PATH } = process.env
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'])
  process.env.PATH = '/nowhere'
  t.teardown(() => {
    process.env.PATH = PATH
  })
  const { saw, exit } = start(t, [python.toString().trim(), '-c', WHAT_STDOUT_IS])
  process.env.PATH = PATH
  await saw(/other\n/)
  t.is((await exit).code, 0)
})

test('writing to a dead child is no error', async t => {
  const { process, exit } = start(t, ['python3', '-c', 'pass'])
  for (let i = 0; i < 100; i++) process.write('x'.repeat(100_000))
  await exit
  process.write('more')
  await process.stop()
  t.pass()
})

test('P25: stop ends a wrapper and what it started, also what left the process group but has a pid file', async t => {
  const runaway =
    'import os, sys, time\nos.setsid()\nopen("pids/%d" % os.getpid(), "w").close()\nprint("away", os.getpid(), flush=True)\ntime.sleep(600)'
  const { process, saw, directory, exit } = start(t, [
    'bash',
    '-c',
    `sleep 600 & echo "sleep $!"; python3 -c '${runaway}' & wait`,
  ])
  const sleeper = Number((await saw(/sleep (\d+)\n/))[1])
  const away = Number((await saw(/away (\d+)\n/))[1])
  t.deepEqual(readdirSync(join(directory, 'pids')), [String(away)])
  await process.stop()
  t.is((await exit).signal, 'SIGTERM')
  await gone(sleeper)
  await gone(away)
  t.pass()
})

test('P25: a child that ignores SIGTERM is killed after the grace', async t => {
  const script =
    'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("ready", flush=True)\ntime.sleep(600)'
  const { process, saw, exit } = start(t, ['python3', '-c', script])
  await saw(/ready/)
  await process.stop()
  t.is((await exit).signal, 'SIGKILL')
})

test('a child that leaves a process behind ends it with itself', async t => {
  const { saw, exit } = start(t, ['bash', '-c', 'sleep 600 & echo "left $!"'])
  const left = Number((await saw(/left (\d+)\n/))[1])
  t.is((await exit).code, 0)
  await gone(left)
  t.pass()
})

test('a program that is not there is told as a failed start', async t => {
  const failed = await new Promise<Error>((resolve, reject) => {
    spawnShell(
      {
        command: ['no-such-program-here'],
        env: {},
        changeChildCwd: false,
        resources: '/',
        pidDir: join(mkdtempSync(join(tmpdir(), 'shell-')), 'pids'),
        clock: systemClock,
      },
      {
        output: () => undefined,
        drained: () => undefined,
        stderrLine: () => undefined,
        ended: () => reject(new Error('ended')),
        startFailed: resolve,
      },
    )
  })
  t.is((failed as NodeJS.ErrnoException).code, 'ENOENT')
})

test('a pid file older than the process of that number is somebody else’s', t => {
  const directory = mkdtempSync(join(tmpdir(), 'pids-'))
  const pid = process.ppid
  const file = join(directory, String(pid))
  writeFileSync(file, '')
  writeFileSync(join(directory, 'README'), '')
  writeFileSync(join(directory, String(process.pid)), '')
  t.deepEqual(livingPids(directory), [pid])
  utimesSync(file, 1, 1)
  t.deepEqual(livingPids(directory), process.platform === 'linux' ? [] : [pid])
  t.deepEqual(livingPids(join(directory, 'missing')), [])
})
