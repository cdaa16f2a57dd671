// How frames leave by a socket: few writes, in order, nothing later than the end of the turn.
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import test from 'ava'
import { FRAME_BYTES_TARGET } from '../../../src/transport/column.ts'
import { FrameAssembler } from '../../../src/transport/frame-assembler.ts'
import { SocketLink } from '../../../src/transport/socket-link.ts'

/** A socket that takes everything at once and keeps each write. */
class Writes extends Duplex {
  readonly seen: number[][] = []

  override _read(): void {
    return
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.seen.push([chunk[0]!])
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.seen.push(chunks.map(({ chunk }) => chunk[0]!))
    done()
  }
}

function linked() {
  const socket = new Writes()
  const link = new SocketLink(socket as unknown as Socket, new FrameAssembler(() => undefined), {
    peer: 'test',
    pool: undefined,
    onEnd: () => undefined,
  })
  return { socket, link }
}

const frame = (mark: number, bytes = FRAME_BYTES_TARGET) => Buffer.alloc(bytes, mark)
const endOfTurn = () => new Promise<void>(resolve => setImmediate(resolve))

test('full frames leave by threes within a turn, the rest at its end', async t => {
  const { socket, link } = linked()
  for (let mark = 0; mark < 8; mark++) link.send(frame(mark))
  t.deepEqual(
    socket.seen,
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
    'the peer can begin',
  )
  await endOfTurn()
  t.deepEqual(socket.seen.slice(2), [[6, 7]])
})

test('small frames of one turn leave in one write at its end, those of the next turn in another', async t => {
  const { socket, link } = linked()
  for (let mark = 0; mark < 5; mark++) link.send(frame(mark, 100))
  t.deepEqual(socket.seen, [])
  await endOfTurn()
  t.deepEqual(socket.seen, [[0, 1, 2, 3, 4]])
  link.send(frame(5, 100))
  link.send(frame(6))
  await endOfTurn()
  t.deepEqual(socket.seen.slice(1), [[5, 6]])
})

test('what waits for the end of the turn leaves before the link is closed', async t => {
  const { socket, link } = linked()
  link.send(frame(1, 100))
  link.send(frame(2, 100))
  link.close()
  await endOfTurn()
  t.deepEqual(socket.seen, [[1, 2]])
  socket.destroy()
})
