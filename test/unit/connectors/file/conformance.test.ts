// The file connectors pass the conformance kit, on a disk in memory that loses what was not synced; and the kit notices when
// the disk, or the connector on it, does not keep its word.
import test from 'ava'
import { EngineError } from 'gearpump'
import {
  type FileSinkOptions,
  type FileSourceOptions,
  type FileSystem,
  fileSink,
  fileSource,
} from 'gearpump/files'
import {
  type SinkConformance,
  type SourceConformance,
  sinkFindings,
  sourceFindings,
} from 'gearpump/testing'
import type { Source, Task } from '../../../../src/task/task.ts'
import { MemoryFiles } from './_memory-files.ts'

const OPEN_MAX = 6

/** A kit for file sources; `change` makes a mutant of each task. */
function sourceKit(
  options: FileSourceOptions,
  change: (source: Source<unknown>) => Source<unknown> = source => source,
): SourceConformance {
  return {
    world: () => {
      const files = new MemoryFiles('logs')
      return {
        create: () => {
          const settings = { openMax: OPEN_MAX, chunkBytes: 20, ...options }
          return change(fileSource(settings, { fileSystem: files.process() })())
        },
        populate: async count => {
          const lines = Array.from({ length: count }, (_, i) => `line ${i} ${'x'.repeat(i % 30)}`)
          files.put(
            'logs/a.log',
            lines
              .slice(0, count / 2)
              .map(line => `${line}\n`)
              .join(''),
          )
          files.put(
            'logs/b.log',
            lines
              .slice(count / 2)
              .map(line => `${line}\n`)
              .join(''),
          )
          await files.syncDirectory('logs')
          return lines
        },
        crash: () => files.crash(),
        handles: () => files.handles,
      }
    },
    openMax: OPEN_MAX,
    replays: 'exact',
    ends: options.tail !== true,
    misconfigured: [() => fileSource({ ...options, openMax: -1 }), () => fileSource({})],
  }
}

const BOTH = ['logs/a.log', 'logs/b.log']

for (const [name, options] of Object.entries<FileSourceOptions>({
  'a list of files': { paths: BOTH },
  'a directory': { directory: 'logs' },
  'files that are followed': { glob: 'logs/*.log', tail: true, pollMs: 50 },
})) {
  test(`a source of ${name} passes the kit`, async t => {
    t.deepEqual(await sourceFindings(sourceKit(options)), [])
  })
}

/** A source with some of its methods replaced. */
function mutant(change: (source: Source<unknown>) => Partial<Source<unknown>>) {
  return (source: Source<unknown>): Source<unknown> => {
    const changed = change(source)
    return new Proxy(source, {
      get: (target, name) => {
        if (name in changed) return changed[name as keyof Source<unknown>]
        const value = target[name as keyof Source<unknown>]
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      },
    })
  }
}

interface Position {
  version: number
  files: { done: number; runs: [number, number][] }[]
}

const SOURCE_MUTANTS: Record<
  string,
  [RegExp, (source: Source<unknown>) => Partial<Source<unknown>>]
> = {
  'forgets what failed': [/after a failure.*never came/, () => ({ fail: () => undefined })],
  'takes a failure for done': [/never came/, source => ({ fail: id => source.done!(id) })],
  'has no position': [/opened where all was done/, () => ({ position: () => undefined })],
  'says more is done than is': [
    /after a crash: messages that were not done never came again/,
    source => ({
      position: () => {
        const position = source.position!() as Position
        for (const file of position.files) file.done = file.runs.at(-1)?.[1] ?? file.done
        return position
      },
    }),
  ],
  'forgets what is done above the lowest': [
    /came again, though it was done/,
    source => ({
      position: () => {
        const position = source.position!() as Position
        for (const file of position.files) file.runs = []
        return position
      },
    }),
  ],
  'does not close': [/handles are still open/, () => ({ close: () => undefined })],
  'emits all again when one failed': [
    /more often than once/,
    source => {
      const open = new Set<unknown>()
      return {
        next: out => {
          const output = out.output.bind(out)
          const noted = Object.create(out) as typeof out
          noted.output = (value, id, port) => {
            if (port === undefined && id !== undefined) output(value, id)
            open.add(id)
            if (open.size % 4 === 0) output(value, `again ${id}`)
          }
          return source.next(noted)
        },
        done: id => (typeof id === 'string' ? undefined : source.done!(id)),
      }
    },
  ],
}

for (const [name, [finding, change]] of Object.entries(SOURCE_MUTANTS)) {
  test(`the kit notices a source that ${name}`, async t => {
    const findings = await sourceFindings(sourceKit({ paths: BOTH }, mutant(change)))
    t.regex(findings.join('\n'), finding)
  })
}

test('the kit notices a source that keeps to another bound, and one that accepts anything', async t => {
  const more = await sourceFindings({ ...sourceKit({ paths: BOTH }), openMax: OPEN_MAX - 1 })
  t.regex(more.join('\n'), /6 messages were open, though at most 5 may be/)
  const fewer = await sourceFindings({ ...sourceKit({ paths: BOTH }), openMax: OPEN_MAX + 1 })
  t.regex(fewer.join('\n'), /it stops at 6 open messages/)
  const refuses = () => {
    throw new Error('no')
  }
  const lax = await sourceFindings({
    ...sourceKit({ paths: BOTH }),
    misconfigured: [() => undefined, refuses],
  })
  t.regex(
    lax.join('\n'),
    /misconfigured\[0\]: it was accepted[\s\S]*misconfigured\[1\].*no UserError/,
  )
})

// ---- the sink

interface Broken {
  /** Unsynced bytes of each file that survive a crash. */
  kept?: number
  options?: Partial<FileSinkOptions>
  fileSystem?: (files: FileSystem) => FileSystem
  task?: (task: Task<never, never>) => Task<never, never>
}

function sinkKit({ kept = 0, options = {}, fileSystem, task }: Broken = {}): SinkConformance {
  return {
    world: () => {
      const files = new MemoryFiles()
      return {
        create: () => {
          const own = files.process()
          const parts = { fileSystem: fileSystem?.(own) ?? own }
          const settings = {
            path: 'out/{index}-{sequence}.log',
            rollBytes: 50,
            flushBytes: 1000,
            ...options,
          }
          const made = fileSink(settings, parts)() as unknown as Task<never, never>
          return task?.(made) ?? made
        },
        readBack: () => files.names().flatMap(name => linesOf(files.text(name))),
        crash: () => files.crash(kept),
        dieAfter: steps => {
          files.stepsLeft = steps
        },
        setFull: full => {
          files.room = full ? 10 : Number.POSITIVE_INFINITY
        },
        handles: () => files.handles,
      }
    },
    keptMax: 60,
    misconfigured: [() => fileSink({ path: 'x' }), () => fileSink(undefined as never)],
  }
}

// What has no end is there, too: a torn line must not stay.
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

for (const kept of [0, 3, 1000]) {
  test(`the file sink passes the kit when a crash keeps ${kept} bytes that were not synced`, async t => {
    t.deepEqual(await sinkFindings(sinkKit({ kept })), [])
  })
}

/** Files whose handles, or themselves, do some things in another way. */
function changed(
  change: Partial<FileSystem>,
  handle: Partial<Awaited<ReturnType<FileSystem['open']>>> = {},
) {
  return (files: FileSystem): FileSystem => ({
    stat: path => files.stat(path),
    list: directory => files.list(directory),
    open: async (path, mode) => {
      const file = await files.open(path, mode)
      return {
        stat: () => file.stat(),
        read: (...args) => file.read(...args),
        write: (...args) => file.write(...args),
        sync: () => file.sync(),
        truncate: size => file.truncate(size),
        close: () => file.close(),
        ...handle,
      }
    },
    rename: (from, to) => files.rename(from, to),
    remove: path => files.remove(path),
    makeDirectory: directory => files.makeDirectory(directory),
    syncDirectory: directory => files.syncDirectory(directory),
    ...change,
  })
}

const nothing = async () => undefined

/** Lets go of an input at once, whatever the sink does. */
const careless = (task: Task<never, never>): Task<never, never> => ({
  onStart: context => task.onStart?.(context),
  onStop: () => task.onStop?.(),
  onNext: (value, context) => {
    const inner = Object.create(context) as typeof context
    inner.hold = () => ({ release: () => true, fail: () => true, open: true }) as never
    return task.onNext(value, inner)
  },
})

const SINK_MUTANTS: Record<string, [RegExp, Broken]> = {
  'never syncs': [/let go too early/, { fileSystem: changed({}, { sync: nothing }) }],
  'never syncs its directory': [
    /let go too early/,
    { fileSystem: changed({ syncDirectory: nothing }) },
  ],
  'lets go before it writes': [/let go too early/, { task: careless }],
  'leaves torn lines': [
    /something that nobody pushed/,
    { kept: 3, fileSystem: changed({}, { truncate: nothing }) },
  ],
  'does not close': [/handles are still open/, { fileSystem: changed({}, { close: nothing }) }],
  'does not write when it ends': [
    /neither done nor failed|timers are still set|handles are still open/,
    { task: task => ({ onStart: c => task.onStart?.(c), onNext: (v, c) => task.onNext(v, c) }) },
  ],
  'never lets go': [
    /not let go in time/,
    {
      task: task => ({
        onStart: c => task.onStart?.(c),
        onStop: () => task.onStop?.(),
        onNext: (value, context) => {
          context.hold()
          const inner = Object.create(context) as typeof context
          inner.hold = () => ({ release: () => true, fail: () => true, open: true }) as never
          return task.onNext(value, inner)
        },
      }),
    },
  ],
  'says nothing of a full disk': [
    /does not tell that it cannot write/,
    {
      task: task => ({
        onStart: context => {
          const inner = Object.create(context) as typeof context
          inner.report = () => undefined
          return task.onStart?.(inner)
        },
        onStop: () => task.onStop?.(),
        onNext: (v, c) => task.onNext(v, c),
      }),
    },
  ],
  'takes in everything while the disk is full': [
    /while it cannot write, it keeps 132 inputs, though 60 are allowed/,
    { options: { flushBytes: 100_000 } },
  ],
  'writes twice': [
    /more is there than was pushed/,
    { options: { encode: text => `${String(text)}\n${String(text)}` } },
  ],
}

for (const [name, [finding, broken]] of Object.entries(SINK_MUTANTS)) {
  test(`the kit notices a sink that ${name}`, async t => {
    const findings = await sinkFindings(sinkKit(broken))
    t.regex(findings.join('\n'), finding)
  })
}

test('a scenario that throws is a finding, and the others are run', async t => {
  const findings = await sinkFindings({
    world: () => {
      throw new EngineError('BAD_INPUT', 'no world')
    },
    misconfigured: [() => undefined],
  })
  t.is(findings.length, 6)
  t.regex(findings[0]!, /everythingOnce: it threw: no world/)
})
