// Bytes that real Storm jars and a real JDK wrote; see test/fixtures/java/make.sh.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = 'test/fixtures/java'

/** `fixture('2.8.1', 'split')`: one file, as bytes. */
export function fixture(line: string, name: string): Buffer {
  return readFileSync(join(folder, line, `${name}.bin`))
}

/** Storm lines that have a fixture of this name. */
export function linesWith(name: string): string[] {
  return readdirSync(folder).filter(line => {
    if (!/^\d/.test(line)) return false
    return readdirSync(join(folder, line)).includes(`${name}.bin`)
  })
}

/** Every fixture as `line/name`. */
export function allFixtures(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.bin'))
    .map(path => path.slice(0, -'.bin'.length))
    .sort()
}
