// Our tables beside what Storm's own generated classes say of the wire: names, numbers, types, and what may be missing.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type {
  EnumType,
  Field,
  Fields,
  StructType,
  UnionType,
} from '../../../../storm-compat/thrift/codec.ts'
import type { Methods } from '../../../../storm-compat/thrift/service.ts'
import * as exceptions from '../../../../storm-compat/thrift/storm-exceptions.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import * as requests from '../../../../storm-compat/thrift/storm-requests.ts'
import * as statistics from '../../../../storm-compat/thrift/storm-statistics.ts'
import * as summaries from '../../../../storm-compat/thrift/storm-summaries.ts'
import * as supervisor from '../../../../storm-compat/thrift/storm-supervisor.ts'
import * as topology from '../../../../storm-compat/thrift/storm-topology.ts'
import { realTest } from '../../../real/parts.ts'

type Table =
  | StructType<Fields>
  | UnionType<Record<string, readonly [number, Field[1]]>>
  | EnumType<Record<string, number>>

const tables: readonly Table[] = [
  exceptions,
  requests,
  statistics,
  summaries,
  supervisor,
  topology,
].flatMap(module => Object.values(module) as unknown as Table[])

/** Field -> type of one struct or union; `?` behind the type of one that may be missing. */
type Row = ReadonlyMap<string, string>

function parsed(output: string): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const line of output.trim().split('\n')) {
    const [, name, ...fields] = line.split(' ').filter(word => word !== '')
    const cells = fields.map(field => {
      const [id, key, ...type] = field.split(':')
      return [`${id}:${key}`, type.join(':')] as const
    })
    rows.set(name!, new Map(cells))
  }
  return rows
}

function ours(table: Table): Row {
  if (table.kind === 'enum') {
    return new Map(Object.entries(table.values).map(([key, number]) => [`${number}:${key}`, '']))
  }
  if (table.kind === 'union') {
    const members = Object.entries(table.members)
    return new Map(members.map(([key, [id, type]]) => [`${id}:${key}`, `${type.name}?`]))
  }
  return fieldsOf(table.fields)
}

function fieldsOf(fields: Fields): Row {
  return new Map(
    Object.entries(fields).map(([key, [id, type, presence]]) => [
      `${id}:${key}`,
      `${type.name}${presence === undefined ? '' : '?'}`,
    ]),
  )
}

/** What we demand must be demanded there; what we let be missing may be demanded there. */
function differences(name: string, mine: Row, theirs: Row): string[] {
  const found: string[] = []
  for (const [field, type] of theirs) {
    const my = mine.get(field)
    if (my === undefined) found.push(`${name} lacks ${field}`)
    else if (my !== type && my !== `${type}?`) found.push(`${name} ${field}: ${my}, not ${type}`)
  }
  for (const field of mine.keys()) if (!theirs.has(field)) found.push(`${name} has ${field}`)
  return found
}

realTest(
  test,
  ['storm-client'],
  'the tables are what the classes of storm-client 2.8 say',
  async (t, [{ dir, program }]) => {
    const lib = join(dir, 'lib')
    const jar = readdirSync(lib).find(name => name.startsWith('storm-client'))!
    const args = [
      '-Xmx128m',
      '-cp',
      `${lib}/*:${join(dir, 'classes')}`,
      'WireTables',
      join(lib, jar),
    ]
    const theirs = parsed(execFileSync(program!, args, { encoding: 'utf8' }))
    const found = tables.flatMap(table =>
      differences(table.name, ours(table), theirs.get(table.name) ?? new Map()),
    )
    // Storm removed it after 1.x, and readers of 0.9 cannot do without.
    t.deepEqual(found, ['ClusterSummary has 2:nimbus_uptime_secs'])

    const methods: Methods = nimbusMethods
    const names = [...theirs.keys()].flatMap(name => /^Nimbus\$(\w+)_args$/.exec(name)?.[1] ?? [])
    t.deepEqual(Object.keys(methods).sort(), [...names, 'beginFileDownload'].sort())
    for (const name of names) {
      const { args: mine, result, errors } = methods[name]!
      t.deepEqual(differences(name, fieldsOf(mine.fields), theirs.get(`Nimbus$${name}_args`)!), [])
      const answer = new Map(fieldsOf(errors))
      if (result !== undefined) answer.set('0:success', result.name)
      t.deepEqual(differences(name, answer, theirs.get(`Nimbus$${name}_result`)!), [])
    }
  },
)
