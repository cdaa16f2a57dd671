// A storm.py for Python 2 under Python 3: told apart from other faults, and replaced where the topology says so.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { shellError } from '../../../../storm-compat/multilang/death-report.ts'
import {
  oldLibraryHint,
  REPLACE_SETTING,
  replaceLibrary,
} from '../../../../storm-compat/multilang/old-library.ts'

// As Python 3.11 says it of the files in the jars of storm-starter 0.9.4 and 1.0.2.
const OF_0_9 = `Traceback (most recent call last):
  File "/r/splitsentence.py", line 16, in <module>
    import storm
  File "/r/storm.py", line 78
    print json_encode(msg)
    ^^^^^^^^^^^^^^^^^^^^^^
SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?`
const OF_1_0 = 'TypeError: Object of type map is not JSON serializable'

test('what Python 3 says of an old storm.py leads to the setting that replaces it', t => {
  t.regex(oldLibraryHint(OF_0_9)!, /for Python 2.*gearpump\.multilang\.replace\.storm\.py=true/)
  t.regex(shellError(OF_1_0).message, /^Shell Process Exception: TypeError.*\n.*for Python 2/)
  t.is(oldLibraryHint(OF_0_9.replace('storm.py', 'split.py')), undefined)
  t.is(oldLibraryHint("ModuleNotFoundError: No module named 'storm'"), undefined)
  t.is(shellError('no').message, 'Shell Process Exception: no')
})

test('our storm.py takes the place of the one of the jar, if that is asked for and there is one', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'storm.py')
  await replaceLibrary({ [REPLACE_SETTING]: true }, folder)
  t.throws(() => readFileSync(file), { code: 'ENOENT' })
  writeFileSync(file, 'print 1')
  await replaceLibrary({}, folder)
  t.is(readFileSync(file, 'utf8'), 'print 1')
  await replaceLibrary({ [REPLACE_SETTING]: true }, folder)
  t.regex(readFileSync(file, 'utf8'), /class BasicBolt/)
})
