import test from 'ava'
import { parseProperties } from '../../../src/cli/properties-file.ts'

test('keys end at an equals sign, a colon or white space', t => {
  t.deepEqual(parseProperties('a=1\nb: 2\nc 3\n  d\t=\t4  \ne\nf=x=y:z'), {
    a: '1',
    b: '2',
    c: '3',
    d: '4  ',
    e: '',
    f: 'x=y:z',
  })
})

test('comments and empty lines are left out, also behind white space', t => {
  t.deepEqual(parseProperties('# one\n  ! two\n\n \na=# three'), { a: '# three' })
})

test('a backslash continues a line, escapes a character, or names one', t => {
  t.deepEqual(parseProperties('a=one,\\\n   two\nb\\ c\\=d=e\\u00e9\\t\\\\\nf=g\\\\\nh=i'), {
    a: 'one,two',
    'b c=d': 'eé\t\\',
    f: 'g\\',
    h: 'i',
  })
})

test('lines may end as on any system', t => {
  t.deepEqual(parseProperties('a=1\r\nb=2\rc=3'), { a: '1', b: '2', c: '3' })
})
