// A disk that can be cut off at any byte, be full, or fail: what was not synced may be lost in a crash.
import type { Disk } from '../../../../src/cluster/store/disk.ts'

export class MemoryDisk implements Disk {
  readonly directory = '/disk'
  readonly files = new Map<string, Buffer>()
  /** Thrown by the next calls of these kinds, while set. */
  fails: { write?: string; sync?: string; truncate?: string; replace?: string } = {}
  /** Bytes that still fit; a write that does not fit is made in part, as real ones are. */
  roomBytes = Number.POSITIVE_INFINITY
  /** Something was written that a power cut would take away. */
  unsynced = false

  async read(name: string): Promise<Buffer | undefined> {
    return this.files.get(name)
  }

  async replace(name: string, content: Buffer): Promise<void> {
    fail(this.fails.replace)
    this.files.set(name, Buffer.from(content))
  }

  async openFile(name: string) {
    // As with a real file, a rename does not change what is open.
    let content = this.files.get(name)!
    const put = (bytes: Buffer) => {
      if (this.files.get(name) === content) this.files.set(name, bytes)
      content = bytes
    }
    return {
      write: async (bytes: Buffer, position: number) => {
        fail(this.fails.write)
        const fits = bytes.subarray(0, Math.min(bytes.length, this.roomBytes))
        this.roomBytes -= fits.length
        this.unsynced = true
        put(Buffer.concat([content.subarray(0, position), fits]))
        if (fits.length < bytes.length) fail('ENOSPC')
      },
      sync: async () => {
        fail(this.fails.sync)
        this.unsynced = false
      },
      truncate: async (bytes: number) => {
        fail(this.fails.truncate)
        this.roomBytes += Math.max(0, content.length - bytes)
        put(content.subarray(0, bytes))
      },
      close: async () => undefined,
    }
  }

  /** The same files after a crash: the journal ends at `bytes`, or with rubbish behind that. */
  crashed(bytes: number, rubbish = Buffer.alloc(0)): MemoryDisk {
    const after = new MemoryDisk()
    for (const [name, content] of this.files) after.files.set(name, Buffer.from(content))
    const journal = this.files.get('journal')!
    after.files.set('journal', Buffer.concat([journal.subarray(0, bytes), rubbish]))
    return after
  }
}

function fail(code: string | undefined): void {
  if (code !== undefined) throw Object.assign(new Error(`the disk says ${code}`), { code })
}
