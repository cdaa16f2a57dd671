// Flux files that are wrong or mean harm: `gear check` and `gear run` end at once with exit code 2 and say where.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { gear, testDir, topologyFile } from './flux-run.ts'

const FILES: readonly [file: string, places: readonly RegExp[]][] = [
  ['bomb', [/bomb\.yaml:\d+:\d+: .*100000/]],
  ['loop', [/loop\.yaml:5:\d+: /]],
  [
    'types',
    [
      /types\.yaml:2:7: /,
      /types\.yaml:3:9: /,
      /types\.yaml:5:9: /,
      /types\.yaml:6:16: /,
      /types\.yaml:7:5: /,
      /types\.yaml:9:3: /,
      /types\.yaml:13:15: /,
      /types\.yaml:14:11: /,
    ],
  ],
  [
    'settings',
    [
      /settings\.yaml:3:3: topology\.message\.timeout\.secs must be .*"soon"/,
      /settings\.yaml:4:3: topology\.max\.spout\.pending must be .*-1/,
      /settings\.yaml:5:3: topology\.tick\.tuple\.freq\.secs must be /,
      /settings\.yaml:9:23: the command must be a list of strings/,
      /settings\.yaml:10:18: parallelism must be a positive integer, is "lots"/,
      /settings\.yaml:13:16: the Java class com\.example\.MyBolt is not one that runs without Java/,
      /settings\.yaml:15:\d+: there is no bolt "c"/,
      /settings\.yaml:15:\d+: there is no grouping type "SHUFFLED" \(did you mean SHUFFLE\?\)/,
    ],
  ],
]

async function assertRefused(
  t: ExecutionContext,
  command: 'check' | 'run',
  file: string,
  places: readonly RegExp[],
) {
  const { code, stdout, stderr, peakMb, hung } = await gear([command, file], testDir(t))
  t.false(hung)
  t.is(code, 2, stderr)
  t.is(stdout, '')
  for (const place of places) t.regex(stderr, place)
  t.notRegex(stderr, / at .*\.[jt]s:\d+/, 'no stack trace')
  t.true(peakMb < 250, `${peakMb} MB`)
}

for (const [file, places] of FILES) {
  test(`gear check refuses ${file}.yaml, saying where`, t =>
    assertRefused(t, 'check', topologyFile(join('wrong', file)), places))
}

test('gear run refuses them as well', t =>
  assertRefused(t, 'run', topologyFile('wrong/types'), FILES[2]![1]))

test('files too deep, too long, not text, not YAML, empty or absent are refused', async t => {
  const dir = testDir(t)
  const texts: [name: string, text: string | Buffer, expected: RegExp][] = [
    [
      'deep.yaml',
      `name: x\nconfig: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`,
      /deep\.yaml:2:\d+: .*deep/,
    ],
    ['deeper.yaml', `${'- '.repeat(50_000)}x\n`, /deeper\.yaml:1:\d+: .*deep/],
    [
      'long.yaml',
      `name: x\n${'# long\n'.repeat(200_000)}`,
      /long\.yaml:1:1: the file has more than/,
    ],
    [
      'binary.yaml',
      Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
      /binary\.yaml:\d+:\d+: /,
    ],
    [
      'syntax.yaml',
      'spouts:\n  - id: s\n   className: "unfinished\nbolts: ]\n',
      /syntax\.yaml:3:\d+: /,
    ],
    ['empty.yaml', '', /empty\.yaml/],
  ]
  for (const [name, text, expected] of texts) {
    writeFileSync(join(dir, name), text)
    await assertRefused(t, 'check', join(dir, name), [expected])
  }
  await assertRefused(t, 'check', join(dir, 'absent.yaml'), [/absent\.yaml/])
})
