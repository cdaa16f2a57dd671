// One master per directory, by a listening socket in it: the kernel answers for a living owner, also a stopped one,
// and refuses as soon as it is dead, however it died; pids and clocks play no part, and it holds across containers
// that share the directory on one machine (not across machines, as on a network file system). A dead owner's socket
// file stays, so each owner takes the next number instead of removing what might just have become somebody else's.
// Whoever has bound his own looks for other living ones and gives way, so of two that start together at most one
// stays.
import { randomInt } from 'node:crypto'
import { open, readdir, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { asError, EngineError } from '../../base/errors.ts'

const NAME = /^lock-(\d+)\.sock$/
/** An owner that listens is found at once; its name may take a moment, and is only for the message. */
const ANSWER_TIMEOUT_MS = 300
/** Two masters that give way to each other try again so often. */
const TRIES = 5
// sun_path holds 108 bytes on Linux and 104 on macOS, the last a zero.
const PATH_BYTES_MAX = 103

export interface DirectoryLock {
  release(): Promise<void>
}

/** Rejects with STORE_LOCKED when a living process has it. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  // A socket's path is short; through the open directory even a long one is.
  const folder = await open(directory, 'r')
  const pathOf = (name: string) => {
    const path = join(directory, name)
    return Buffer.byteLength(path) <= PATH_BYTES_MAX ? path : `/proc/self/fd/${folder.fd}/${name}`
  }
  let owner: string | undefined
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const names = (await readdir(directory)).filter(name => NAME.test(name))
      owner = await livingOwner(names, pathOf)
      if (owner !== undefined) break
      const number = Math.max(0, ...names.map(name => Number(NAME.exec(name)![1]))) + 1
      const mine = `lock-${number}.sock`
      const server = await bind(pathOf(mine), directory)
      if (server === undefined) continue
      const others = (await readdir(directory)).filter(name => NAME.test(name) && name !== mine)
      owner = await livingOwner(others, pathOf)
      if (owner === undefined) {
        for (const name of others) await rm(join(directory, name), { force: true })
        return { release: () => close(server).finally(() => folder.close()) }
      }
      await close(server)
      await new Promise(resolve => setTimeout(resolve, randomInt(10, 50)))
    }
  } catch (error) {
    await folder.close()
    throw error
  }
  await folder.close()
  throw new EngineError('STORE_LOCKED', `${directory} is in use by ${owner ?? 'another process'}`, {
    hint: 'one master at a time uses a store directory: stop that one, or give this one its own',
    details: { directory },
  })
}

// Who listens on one of them: "process 17", or undefined when nobody does.
async function livingOwner(
  names: readonly string[],
  pathOf: (name: string) => string,
): Promise<string | undefined> {
  for (const name of names) {
    const owner = await ask(pathOf(name))
    if (owner !== undefined) return owner
  }
  return undefined
}

function ask(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = createConnection(path)
    let text = ''
    const timer = setTimeout(() => done(text || 'another process'), ANSWER_TIMEOUT_MS)
    const done = (owner: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(owner)
    }
    socket.on('data', data => {
      text += data.toString('utf8')
    })
    socket.on('end', () => done(text || 'another process'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Nobody listens, or the file is gone. Anything else (a full backlog) is somebody.
      const gone = error.code === 'ECONNREFUSED' || error.code === 'ENOENT'
      done(gone ? undefined : text || 'another process')
    })
  })
}

// The socket, or undefined when another process has just taken this number.
function bind(path: string, directory: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => {
      // It only wants to know who we are, and may be gone already.
      socket.on('error', () => socket.destroy())
      socket.end(`process ${process.pid}`)
    })
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(noSocket(directory, error))
    })
    server.listen(path, () => resolve(server))
  })
}

function noSocket(directory: string, error: unknown): EngineError {
  return new EngineError(
    'STORE_UNAVAILABLE',
    `${directory} cannot be locked, no socket can be made in it: ${asError(error).message}`,
    {
      hint: 'put it on a local file system, under a shorter path',
      details: { outcome: 'none' },
      cause: error,
    },
  )
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}
