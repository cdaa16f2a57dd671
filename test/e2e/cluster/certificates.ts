// Certificates of a cluster for one test, made by openssl: an authority, and one certificate for all its addresses.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files in PEM. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export function certificates(directory: string, addresses: readonly string[]): Certificates {
  const path = (name: string) => join(directory, name)
  const openssl = (line: string, ...files: string[]) =>
    execFileSync('openssl', [...line.split(' '), ...files], { stdio: 'pipe' })
  const fresh = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
  openssl(`req -x509 ${fresh} -subj /CN=ca -keyout`, path('ca.key'), '-out', path('ca.pem'))
  const request = path('own.csr')
  openssl(`req -new ${fresh} -subj /O=test -keyout`, path('own.key'), '-out', request)
  const names = addresses.map(address => `IP:${address}`).join(',')
  const extensions = `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`
  writeFileSync(path('own.ext'), extensions)
  openssl(
    'x509 -req -CAcreateserial -days 2',
    ...['-in', request, '-CA', path('ca.pem'), '-CAkey', path('ca.key')],
    ...['-extfile', path('own.ext'), '-out', path('own.pem')],
  )
  return { ca: path('ca.pem'), cert: path('own.pem'), key: path('own.key') }
}
