// One setting's value, from a node of the file, the text of a flag or plain data that was submitted, checked by its row
// in the table. What is wrong is told in one sentence, without the value if that is a secret.
import { isAbsolute, join } from 'node:path'
import type { ListNode, MapNode, SettingNode } from './settings-file.ts'
import type { HostFacts, Setting } from './settings-table.ts'

export type Checked = { readonly value: unknown } | Wrong

export interface Wrong {
  readonly wrong: string
  readonly place: string
}

export interface Surroundings {
  /** Relative paths begin here. */
  readonly baseDir: string
  readonly homeDir: string
}

/** Addresses, labels, ports: a cluster has hundreds of them, not more. */
const ITEMS_MAX = 10_000

/** The value of a setting, or what is wrong with it. */
export function checkedValue(setting: Setting, node: SettingNode, around: Surroundings): Checked {
  const wrong = (what: string, place = node.place): Wrong => ({ wrong: what, place })
  if (node.kind === 'scalar' && node.value === null)
    return wrong('has no value: write one, or leave the line out')
  switch (setting.type) {
    case 'integer':
    case 'number':
      return numberOf(setting, node)
    case 'boolean':
      return node.kind === 'scalar' && typeof node.value === 'boolean'
        ? { value: node.value }
        : wrong('must be true or false')
    case 'text':
      return textOf(setting, node)
    case 'file':
      return node.kind === 'scalar' && node.text !== ''
        ? { value: pathOf(node.text, around) }
        : wrong('must be a path')
    case 'addresses':
      return listOf(node, 'a list of host:port, such as [host1:3000, host2:3000]', addressOf)
    case 'map':
      return mapOf(node, text => text)
    case 'files':
      return mapOf(node, text => pathOf(text, around))
    case 'ports':
      return portsOf(node)
    case 'store':
      if (node.kind === 'scalar' && (node.text === 'journal' || node.text === 'etcd'))
        return { value: node.text }
      return listOf(node, 'journal, etcd, or a list of URLs of an etcd', urlOf)
  }
}

/** A flag's text as the node that the file would have: `a,b` is a list, and `k=v,l=w` a map. */
export function flagNode(setting: Setting, text: string, place: string): SettingNode {
  const scalar = (word: string): SettingNode => ({
    kind: 'scalar',
    place,
    text: word,
    value: wordValue(setting, word),
  })
  switch (setting.type) {
    case 'map':
    case 'files':
      return { kind: 'map', place, entries: wordsOf(text).map(word => entryOf(word, place)) }
    case 'addresses':
    case 'ports':
      return { kind: 'list', place, items: wordsOf(text).map(scalar) }
    case 'store':
      if (text === 'journal' || text === 'etcd') return scalar(text)
      return { kind: 'list', place, items: wordsOf(text).map(scalar) }
    default:
      return scalar(text)
  }
}

function wordValue({ type }: Setting, word: string): string | number | boolean {
  if (type === 'boolean') return word === 'true' ? true : word === 'false' ? false : word
  if (type !== 'integer' && type !== 'number') return word
  const number = Number(word)
  return word.trim() === '' || Number.isNaN(number) ? word : number
}

function wordsOf(text: string): string[] {
  return text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
}

function entryOf(word: string, place: string): MapNode['entries'][0] {
  const [key, ...rest] = word.split('=')
  const text = rest.join('=')
  const value = rest.length === 0 ? null : text
  return { key: key!, keyPlace: place, value: { kind: 'scalar', place, text, value } }
}

function numberOf({ type, unit, min, max }: Setting, node: SettingNode): Checked {
  const value = node.kind === 'scalar' ? node.value : undefined
  const isRight =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (type === 'number' || Number.isSafeInteger(value)) &&
    value >= (min ?? value) &&
    value <= (max ?? value)
  if (isRight) return { value }
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  const range = min === undefined || max === undefined ? '' : ` from ${min} to ${max}`
  const got = node.kind === 'scalar' ? `, not ${JSON.stringify(node.value)}` : ''
  return {
    wrong: `must be ${kind}${range}${unit === undefined ? '' : ` ${unit}`}${got}`,
    place: node.place,
  }
}

// Its own value is not told: it may be a token.
function textOf({ min = 0, max = Infinity }: Setting, node: SettingNode): Checked {
  const { place } = node
  if (node.kind !== 'scalar') return { wrong: 'must be text', place }
  const { length } = node.text
  if (length >= min && length <= max) return { value: node.text }
  return { wrong: `must have ${min} to ${max} characters; it has ${length}`, place }
}

function pathOf(text: string, { baseDir, homeDir }: Surroundings): string {
  if (text === '~' || text.startsWith('~/')) return join(homeDir, text.slice(1))
  return isAbsolute(text) ? text : join(baseDir, text)
}

function listOf(
  node: SettingNode,
  wanted: string,
  itemOf: (text: string) => string | undefined,
): Checked {
  if (node.kind !== 'list' || node.items.length === 0 || node.items.length > ITEMS_MAX)
    return { wrong: `must be ${wanted}`, place: node.place }
  const value: string[] = []
  for (const item of node.items) {
    const word = item.kind === 'scalar' ? itemOf(item.text) : undefined
    if (word === undefined || value.includes(word)) {
      const what = word === undefined ? `must be ${wanted}` : 'stands in the list twice'
      return {
        wrong: item.kind === 'scalar' ? `${safeText(item.text)}: ${what}` : what,
        place: item.place,
      }
    }
    value.push(word)
  }
  return { value }
}

function addressOf(text: string): string | undefined {
  const [, port] = /^(?:[^\s:[\]]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? []
  return port !== undefined && isPort(Number(port)) ? text : undefined
}

function urlOf(text: string): string | undefined {
  return /^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '') ? text : undefined
}

/** A URL may carry a password. */
export function safeText(text: string): string {
  return text.replace(/\/\/[^/@]*@/g, '//(secret)@')
}

function mapOf(node: SettingNode, wordOf: (text: string) => string): Checked {
  if (node.kind !== 'map' || node.entries.length > ITEMS_MAX)
    return { wrong: 'must be names with values, such as {disk: ssd}', place: node.place }
  const pairs: [string, string][] = []
  for (const { key, value } of node.entries) {
    if (value.kind !== 'scalar' || value.value === null || key === '')
      return { wrong: `"${key}" must have one word as its value`, place: value.place }
    pairs.push([key, wordOf(value.text)])
  }
  return { value: Object.fromEntries(pairs) }
}

function portsOf(node: SettingNode): Checked {
  const items: ListNode['items'] = node.kind === 'list' ? node.items : [node]
  const ports = new Set<number>()
  for (const item of items) {
    const text = item.kind === 'scalar' ? item.text : ''
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
    const from = Number(first)
    const to = Number(last)
    if (!isPort(from) || !isPort(to) || to < from || ports.size + to - from >= ITEMS_MAX)
      return {
        wrong: `must be ports and ranges of ports, such as [7000-7099], at most ${ITEMS_MAX}`,
        place: item.place,
      }
    for (let port = from; port <= to; port++) ports.add(port)
  }
  return { value: [...ports] }
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535
}

/** For callers that have no file: flags and submitted values. */
export function surroundingsOf(host: HostFacts): Surroundings {
  return { baseDir: host.currentDir, homeDir: host.homeDir }
}
