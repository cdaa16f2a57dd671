// What may stand in a file that is run, and what is said where it cannot run.
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { EngineError, UserError } from '../../../src/base/errors.ts'
import {
  declaredArguments,
  loadForExecutor,
  loadProgram,
  type ProgramOptions,
} from '../../../src/client/program-file.ts'

const DOORS = [new URL('./fixtures/stub-door.ts', import.meta.url).href]

function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))
}

function options(name: string, more: Partial<ProgramOptions> = {}): ProgramOptions {
  return {
    file: fixture(name),
    config: {},
    resources: undefined,
    properties: {},
    envFilter: false,
    args: {},
    runDir: '/nowhere',
    logDir: undefined,
    startedMs: 0,
    doors: DOORS,
    ...more,
  }
}

test('a program gets its arguments by type, with defaults for what is not given', async t => {
  const args = { topic: 'lines', acked: true }
  const { application, args: declared } = await loadProgram(options('declared.ts', { args }))
  t.is(application.name, 'lines')
  t.is(application.dag.processors[1]?.parallelism, 4)
  t.deepEqual(Object.keys(declared ?? {}), ['split', 'acked', 'topic'])
})

test('all that is wrong with arguments is told at once, with the nearest name', async t => {
  const args = { splitt: '4', split: 'many', acked: 'maybe' }
  const error = await t.throwsAsync(loadProgram(options('declared.ts', { args })), {
    instanceOf: UserError,
  })
  const told = error.problems.map(p => `${p.place} ${p.message} ${p.hint}`)
  t.is(told.length, 4)
  t.regex(told[0]!, /--splitt is not declared.*did you mean --split\?/)
  t.regex(told[1]!, /--split must be a number: "many"/)
  t.regex(told[2]!, /--acked must be a boolean: "maybe"/)
  t.regex(told[3]!, /--topic is required/)
})

test('numbers and booleans may come as texts, and --no-x denies a boolean', async t => {
  const args = { topic: 't', split: '2', 'no-acked': true }
  const { application } = await loadProgram(options('declared.ts', { args }))
  t.is(application.dag.processors[1]?.parallelism, 2)
})

test('settings and a name of the command line win over those of the file', async t => {
  const more = { args: { topic: 't' }, config: { b: 3, c: 4 }, name: 'other' }
  const { application } = await loadProgram(options('declared.ts', more))
  t.is(application.name, 'other')
  t.deepEqual(application.config, { a: 1, b: 3, c: 4 })
})

test('a DAG under a name is taken where the default export cannot run, and named after the file', async t => {
  const { application } = await loadProgram(options('plain-dag.ts'))
  t.is(application.name, 'plain-dag')
})

test('a function may return what a front door understands', async t => {
  const { application } = await loadProgram(options('stub-value.ts', { args: { name: 'mine' } }))
  t.is(application.name, 'mine')
})

test('a file with an ending of a front door is loaded by that door', async t => {
  const loaded = await loadProgram(options('file.stub', { config: { x: 1 } }))
  t.is(loaded.application.name, 'loaded')
  t.deepEqual(loaded.application.config, { x: 1 })
  t.deepEqual(loaded.notices, ['resources are beside the file'])
})

test('another process gets the same application from the code reference', async t => {
  const more = { args: { topic: 't', split: '3' }, config: { b: 9 }, name: 'n' }
  const { application } = await loadProgram(options('declared.ts', more))
  const { code } = application
  t.is(code?.export, 'loadForExecutor')
  const again = await loadForExecutor(structuredClone(code?.input) as ProgramOptions)
  t.is(again.name, 'n')
  t.deepEqual(again.config, application.config)
  t.is(again.dag.processors[1]?.parallelism, 3)
})

test('arguments for a file that declares none are refused', async t => {
  const args = { split: '4' }
  const refused = { instanceOf: UserError, message: /declares no arguments/ }
  await t.throwsAsync(loadProgram(options('plain-dag.ts', { args })), refused)
  await t.throwsAsync(loadProgram(options('file.stub', { args })), refused)
})

test('a module without anything to run is told what was looked for and what was found', async t => {
  const error = await t.throwsAsync(loadProgram(options('nothing.ts')), {
    instanceOf: EngineError,
    message: /default is a string, there is "words"/,
  })
  t.regex(error.hint ?? '', /default, app, topology, dag/)
})

test('an error in the module keeps its own stack, with the true line', async t => {
  const error = await t.throwsAsync(loadProgram(options('throws.ts')), {
    code: 'MODULE_NOT_LOADED',
    message: /no such thing/,
  })
  t.regex((error.cause as Error).stack ?? '', /throws\.ts:3:/)
})

test('a syntax error in a JavaScript module is told with its line', async t => {
  const error = await t.throwsAsync(loadProgram(options('wrong-syntax.mjs')), {
    code: 'MODULE_NOT_LOADED',
  })
  t.regex(error.message, /wrong-syntax\.mjs:2\n/)
})

test('a missing file, a directory, an unknown ending and a bad name are refused', async t => {
  await t.throwsAsync(loadProgram(options('none.ts')), { code: 'FILE_NOT_FOUND' })
  await t.throwsAsync(loadProgram(options('.')), { code: 'FILE_NOT_FOUND', message: /is no file/ })
  const unknown = await t.throwsAsync(loadProgram({ ...options(''), file: process.execPath }))
  t.regex((unknown as EngineError).hint ?? '', /\.stub \.ts/)
  await t.throwsAsync(loadProgram(options('plain-dag.ts', { name: 'a/b' })), {
    message: /"a\/b" is no name/,
  })
})

test('the declared arguments of a program are listed without building it', async t => {
  const declared = await declaredArguments(fixture('declared.ts'), DOORS)
  t.is(declared?.topic?.required, true)
  t.is(await declaredArguments(fixture('plain-dag.ts'), DOORS), undefined)
  t.is(await declaredArguments(fixture('file.stub'), DOORS), undefined)
})

test('what a compiler made CommonJS of a default export is taken as one', async t => {
  t.is((await loadProgram(options('compiled.cjs'))).application.name, 'compiled')
})

test('a package that is missing, and syntax that is more than TypeScript, are told with what to do', async t => {
  const missing = await t.throwsAsync(loadProgram(options('missing-package.ts')), {
    instanceOf: EngineError,
  })
  t.regex(missing.message, /Cannot find package '@\/lib'/)
  t.regex(missing.hint ?? '', /path aliases of tsconfig\.json are not read/)
  const decorated = await t.throwsAsync(loadProgram(options('decorated.ts')), {
    instanceOf: EngineError,
  })
  t.regex(decorated.hint ?? '', /decorators .* compile such a file/)
})
