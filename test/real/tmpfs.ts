// Small file systems in memory, so that a test can fill a disk. Mounting one takes root; where that is not given the test is
// skipped visibly, and fails when GEARPUMP_REQUIRE_REAL=1.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type Declare, testUnless } from './parts.ts'

/** Mounts one of so many KiB for the time of the test; gives its directory. */
export type Mount = (kib: number) => string

/** A test that fills disks: declared as usual where one can be mounted. */
export function diskTest(
  test: Declare,
  title: string,
  body: (t: ExecutionContext, mount: Mount) => Promise<void>,
): void {
  testUnless(test, whyNot(), title, t => body(t, kib => mounted(t, kib)))
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root, to mount a small disk'
  const path = mkdtempSync(join(tmpdir(), 'gearpump-disk-'))
  try {
    mount(path, 64)
    execFileSync('umount', [path])
    return undefined
  } catch {
    return 'may not mount a small disk here'
  } finally {
    rmdirSync(path)
  }
}

function mounted(t: ExecutionContext, kib: number): string {
  const path = mkdtempSync(join(tmpdir(), 'gearpump-disk-'))
  mount(path, kib)
  t.teardown(() => {
    // Detached at once; a file that is still open keeps only itself.
    execFileSync('umount', ['--lazy', path])
    rmdirSync(path)
  })
  return path
}

function mount(path: string, kib: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path], { stdio: 'ignore' })
}
