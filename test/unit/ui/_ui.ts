// A UI on a free port beside a Nimbus whose host only notes what it is asked; requests as a program sends them.
import { request } from 'node:http'
import type { ExecutionContext } from 'ava'
import { always } from '../../../storm-compat/ui/nimbus-calls.ts'
import { startUi, type UiOptions } from '../../../storm-compat/ui/ui-server.ts'
import { nimbusFor } from '../storm-compat/nimbus/_nimbus.ts'

export interface Reply {
  readonly status: number
  readonly type: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  // A test reads whatever field it looks at.
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of any page
  readonly json: any
}

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export async function uiFor(t: ExecutionContext, more: Partial<UiOptions> = {}) {
  const around = await nimbusFor(t)
  const nowMs = () => around.clock.nowMs()
  const ui = await startUi({ nimbus: always(around.nimbus.calls), port: 0, nowMs, ...more })
  t.teardown(() => ui.close())
  const ask = (path: string, sent: Sent = {}) => asked(ui.port, path, sent)
  const get = async (path: string) => (await ask(`/api/v1${path}`)).json
  const post = (path: string, body?: unknown) =>
    ask(`/api/v1${path}`, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
  return { ...around, ui, ask, get, post }
}

/** Not `fetch`, which sets headers of its own and lets none of Host be set. */
export function asked(port: number, path: string, { method, headers, body }: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      // A connection of its own.
      agent: false,
      port,
      path,
      method: method ?? 'GET',
      headers: headers ?? {},
    }
    const sending = request(options, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const type = response.headers['content-type'] ?? ''
        const json =
          type.startsWith('application/json') && text !== '' ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode!, type, headers: response.headers, text, json })
      })
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
