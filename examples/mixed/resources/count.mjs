// Counts words, as a bolt in a Node process of its own. It speaks the multi-lang protocol by itself, in JSON: it fits
// into one screen, and any language can do it.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const counts = new Map()
let handshakeDone = false
let message = ''

function send(value) {
  process.stdout.write(`${JSON.stringify(value)}\nend\n`)
}

function handshake({ pidDir }) {
  handshakeDone = true
  closeSync(openSync(join(pidDir, String(process.pid)), 'w'))
  send({ pid: process.pid })
}

function execute({ id, stream, task, tuple }) {
  if (task === -1 && stream === '__heartbeat') return send({ command: 'sync' })
  const [word] = tuple
  const count = (counts.get(word) ?? 0) + 1
  counts.set(word, count)
  send({ command: 'emit', anchors: [id], tuple: [word, count], need_task_ids: false })
  send({ command: 'ack', id })
}

// Ends by itself when the host closes our input.
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'end') {
    message += line
    continue
  }
  const value = JSON.parse(message)
  message = ''
  if (handshakeDone) execute(value)
  else handshake(value)
}
