// The version of this package, from its package.json.
import { readFileSync } from 'node:fs'

export function packageVersion(): string {
  const file = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json'
  const { version } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))
  return version as string
}
