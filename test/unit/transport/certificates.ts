// Certificates for tests, made on the spot by openssl: an authority, and what it or a stranger has signed. Nothing secret
// lies in the repository, and nothing expires in it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { TlsOptions } from '../../../src/transport/tls.ts'
import { type Declare, testUnless } from '../../real/parts.ts'

export interface Certificates {
  ca: string
  /** Signed by the authority, for 127.0.0.1 to 127.0.0.3 and for the name `node.gearpump`. */
  role: TlsOptions
  /** Only the authority: a client's view. */
  client: TlsOptions
  /** Signed by another authority, and trusting that of the cluster. */
  stranger: TlsOptions
  /** Signed by the authority, for another host only. */
  elsewhere: TlsOptions
}

function missing(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'openssl is not installed'
  }
}

let made: Certificates | undefined

function certificates(): Certificates {
  if (made !== undefined) return made
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-certificates-'))
  try {
    const ours = authority(folder, 'ours')
    authority(folder, 'theirs')
    const role = signed(folder, 'role', 'ours', `${HOSTS},DNS:node.gearpump`)
    const stranger = signed(folder, 'stranger', 'theirs', 'IP:127.0.0.1')
    const elsewhere = signed(folder, 'elsewhere', 'ours', 'IP:192.0.2.1')
    made = {
      ca: ours,
      role: { ca: ours, ...role },
      client: { ca: ours },
      stranger: { ca: ours, ...stranger },
      elsewhere: { ca: ours, ...elsewhere },
    }
    return made
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What stands for several hosts on this one. */
const HOSTS = [1, 2, 3].map(i => `IP:127.0.0.${i}`).join(',')

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] })
}

function authority(folder: string, name: string): string {
  openssl(folder, [
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.crt`],
  ])
  return readFileSync(join(folder, `${name}.crt`), 'utf8')
}

function signed(folder: string, name: string, by: string, names: string) {
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`)
  openssl(folder, [
    ...['req', ...KEY, '-subj', `/CN=${name}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
  ])
  openssl(folder, [
    ...['x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt`],
    ...['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'],
    ...['-extfile', `${name}.ext`],
  ])
  return {
    cert: readFileSync(join(folder, `${name}.crt`), 'utf8'),
    key: readFileSync(join(folder, `${name}.key`), 'utf8'),
  }
}

/** A test that needs certificates: skipped visibly where openssl is missing. */
export function tlsTest(
  test: Declare,
  title: string,
  body: (t: ExecutionContext, given: Certificates) => Promise<void>,
): void {
  testUnless(test, missing(), title, t => body(t, certificates()))
}
