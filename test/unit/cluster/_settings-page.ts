// Prints docs/settings.md from the table of settings.
import { type Setting, settingsTable } from '../../../src/cluster/settings-table.ts'

const INTRODUCTION = `# Settings of a cluster

Every setting of the processes of a cluster. They are read from \`gear.yaml\`, and each may be given as a flag under its
full name, which wins: \`--worker.slots 4\`, \`--cluster.masters a:3000,b:3000\`, \`--worker.labels disk=ssd,zone=a\`.
In the file, sections may be nested or written with dots:

\`\`\`yaml
cluster:
  masters: [a:3000, b:3000, c:3000]
host:
  bind: 0.0.0.0
worker:
  slots: 8
  labels: {disk: ssd}
security:
  tls: {ca: ca.pem, cert: host.pem, key: host.key}
  tokenFile: token
\`\`\`

Relative paths begin at the directory of the file, those of flags at the current one. Mistakes are told all at once, with
line and column. What an application is given (read by: application) is taken from the file that \`gear app run --settings\` names;
settings that are the host's own are never taken from what is submitted.

A process that listens on another address than loopback needs TLS, and a master a token for clients, or it does not start;
\`security.insecure\` is the way to say that it may.

This page is printed from \`src/cluster/settings-table.ts\`; a test compares the two.
`

const TYPES: Readonly<Record<Setting['type'], string>> = {
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  text: 'text',
  file: 'path',
  addresses: 'list of host:port',
  map: 'names with values',
  files: 'names with paths',
  ports: 'ports and ranges',
  store: '`journal`, `etcd` or list of URLs',
}

export function settingsPage(): string {
  const rows = Object.entries(settingsTable as Readonly<Record<string, Setting>>)
  const sections = [...new Set(rows.map(([name]) => name.split('.')[0]!))].map(section => {
    const own = rows.filter(([name]) => name.startsWith(`${section}.`))
    const head =
      '| Setting | Type | Default | Read by | Own | What it is |\n| --- | --- | --- | --- | --- | --- |'
    return `## ${section}\n\n${head}\n${own.map(row).join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function row([name, setting]: [string, Setting]): string {
  const { type, unit, min, max, role, own, doc } = setting
  const range = min === undefined || max === undefined ? '' : `, ${min} to ${max}`
  const amount = type === 'text' ? `${range} characters` : `${range}${unit ? ` ${unit}` : ''}`
  const kind = `${TYPES[type]}${range === '' ? '' : amount}`
  const cells = [`\`${name}\``, kind, defaultCell(setting), role, own ? 'yes' : 'no', doc]
  return `| ${cells.join(' | ')} |`
}

function defaultCell({ default: fallback, defaultText }: Setting): string {
  if (defaultText !== undefined) return defaultText
  return fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``
}
