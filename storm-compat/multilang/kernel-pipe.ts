// A pipe of the kernel for what a child writes. Node gives its children a socket, and each write into one costs twice as much
// as into a pipe: for stock storm.py, which makes eleven writes for a sentence of ten words, that is a quarter of all its
// processor time. Node has no call that makes a pipe; a FIFO is one that has a name, for as long as it takes to open both ends.
import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'

const MKFIFO_MS = 5_000

export interface KernelPipe {
  /** The child's end. Whoever has it closes it. */
  readonly fd: number
  readonly reader: Socket
}

/** A new pipe, made by way of the path, which nothing else may use. Undefined where the system has no such thing. */
export function kernelPipe(path: string): KernelPipe | undefined {
  const { status } = spawnSync('mkfifo', ['-m', '600', path], {
    stdio: 'ignore',
    timeout: MKFIFO_MS,
  })
  try {
    return status === 0 ? opened(path) : undefined
  } catch {
    // What Node makes will do, or fails by a name of its own.
    return undefined
  } finally {
    rmSync(path, { force: true })
  }
}

// The reader first, and without waiting for a writer; then the writer finds one.
function opened(path: string): KernelPipe {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const fd = openSync(path, constants.O_WRONLY)
    return { fd, reader: new Socket({ fd: readFd, readable: true, writable: false }) }
  } catch (error) {
    closeSync(readFd)
    throw error
  }
}
