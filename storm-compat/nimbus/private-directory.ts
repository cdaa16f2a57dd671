// A directory for the files of one process, which its successors sweep if it died: its name says whose it is.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asError } from 'gearpump/spi'

const PREFIX = 'gearpump-nimbus-'

/** Makes one, and removes those of processes that are no more. */
export async function privateDirectory(parent = tmpdir()): Promise<string> {
  for (const name of await readdir(parent)) {
    const [, pid, start] = /^gearpump-nimbus-(\d+)-(\d+)-\w+$/.exec(name) ?? []
    if (pid === undefined || (await startOf(pid)) === start) continue
    // Somebody else's cannot be removed, and need not be.
    await rm(join(parent, name), { recursive: true, force: true }).catch(asError)
  }
  const { pid } = process
  return mkdtemp(join(parent, `${PREFIX}${pid}-${await startOf(String(pid))}-`))
}

// Since the numbers of processes come again: when it began, in ticks since the host did. 0 where there is no such file, and
// then nothing is told apart, and nothing is removed.
async function startOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(asError)
  if (text instanceof Error) return process.platform === 'linux' ? 'gone' : '0'
  // Behind the name, which may hold anything: state is the third field, the start the 22nd.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}
