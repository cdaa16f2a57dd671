// Prints docs/storm-settings.md from the table of settings.
import {
  type Setting,
  settingsTable,
  type Treatment,
} from '../../../../storm-compat/topology/settings.ts'

const INTRODUCTION = `# Storm's settings

What each setting of Storm does here. A setting may stand in the topology's config, in a component's own config, or
be given on the command line (\`-c key=value\`). A component sees Storm's defaults, overridden by the topology's
settings, overridden by its own.

A multi-lang component gets the whole of it in its handshake, with all keys that Storm 2.8 puts there, whether they
do anything here or not. Keys that are in no table (your own ones) are passed on as they are.

This page is printed from \`storm-compat/topology/settings-table.ts\`; a test compares the two.
`

const SECTIONS: readonly [treatment: Treatment, title: string, text: string, column: string][] = [
  ['honoured', 'Honoured', 'These do what they do in Storm.', 'What it does'],
  ['refused', 'Refused', 'A topology that sets one of these does not start.', 'Why'],
  [
    'ignored',
    'Ignored',
    'These may stay where they are; one line tells of each that is set.',
    'Why',
  ],
]

export function settingsPage(): string {
  const sections = SECTIONS.map(([treatment, title, text, column]) => {
    const settings = [...settingsTable.values()]
      .filter(s => s.treatment === treatment)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    const head = `| Setting | Type | Default | ${column} |\n| --- | --- | --- | --- |`
    return `## ${title}\n\n${text}\n\n${head}\n${settings.map(row).join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function row({ key, type, default: fallback, note }: Setting): string {
  const shown = fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``
  return `| \`${key}\` | ${type} | ${shown} | ${note} |`
}
