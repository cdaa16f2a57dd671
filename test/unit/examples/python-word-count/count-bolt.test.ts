import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { COUNTS_SETTING, CountBolt } from '../../../../examples/python-word-count/count-bolt.ts'
import { contextOf, tupleOf } from '../fake-storm.ts'

test('each task writes the counts of its words to a file of its own', t => {
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-count-bolt-'))
  const bolt = new CountBolt(10)
  bolt.prepare({ [COUNTS_SETTING]: join(folder, 'new') }, contextOf(3))
  for (const word of ['to', 'be', 'or', 'not', 'to', 'be']) bolt.execute(tupleOf('split', { word }))
  bolt.cleanup()
  const text = readFileSync(join(folder, 'new', 'counts-3.tsv'), 'utf8')
  rmSync(folder, { recursive: true })
  t.deepEqual(text.split('\n').sort(), ['', '1\tnot', '1\tor', '2\tbe', '2\tto'])
})
