// The real file system behind the interface of the file connectors: what they rely on.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { realFileSystem as files } from '../../../../connectors/file/file-system.ts'

test('files are made, written, read, cut and named as the connectors need it; nothing is written over', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const inner = join(dir, 'a/b')
  await files.makeDirectory(inner)
  await files.makeDirectory(inner)
  const path = join(inner, 'one.open')
  t.is(await files.stat(path), undefined)
  await t.throwsAsync(files.open(path, 'read'), { code: 'ENOENT' })
  const made = await files.open(path, 'create')
  await t.throwsAsync(files.open(path, 'create'), { code: 'EEXIST' })
  await made.write(Buffer.from('hello world'), 0)
  await made.sync()
  await made.truncate(5)
  await made.write(Buffer.from('!'), 5)
  const { inode, size, isFile } = await made.stat()
  t.deepEqual([size, isFile], [6, true])
  await made.close()
  const buffer = Buffer.alloc(10, '.')
  const opened = await files.open(path, 'read')
  t.is(await opened.read(buffer, 2, 8, 1), 5)
  t.is(buffer.toString(), '..ello!...')
  t.is(await opened.read(buffer, 0, 8, 6), 0)
  const final = join(inner, 'one')
  writeFileSync(final, 'taken')
  t.false(await files.rename(path, final))
  t.is(readFileSync(final, 'utf8'), 'taken')
  await files.remove(final)
  t.true(await files.rename(path, final))
  t.is((await opened.stat()).inode, inode)
  await opened.close()
  t.deepEqual(await files.list(inner), ['one'])
  t.is((await files.stat(inner))?.isFile, false)
  await files.syncDirectory(inner)
  await files.remove(join(inner, 'nothing'))
  await t.throwsAsync(files.rename(path, join(inner, 'two')), { code: 'ENOENT' })
})
