// Imports go one way (docs/ARCHITECTURE.md): base -> transport, dag, progress -> task, actor -> app, cluster -> deploy -> client -> cli; testing may
// import all. storm-compat and connectors use the engine's doors by package name only.
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: `^src/(${[from, ...allowed].join('|')})[/.]` },
})

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    layer('base-imports-nothing', 'base', []),
    layer('progress-is-pure', 'progress', ['base']),
    layer('dag-is-pure', 'dag', ['base']),
    layer('transport-knows-bytes', 'transport', ['base']),
    layer('task-is-the-data-plane', 'task', ['base', 'progress', 'dag', 'transport']),
    layer('actors-are-the-control-plane', 'actor', ['base', 'transport']),
    // Beside its own layers: what masters and executors say to each other, and how the leader is found.
    layer('app-hosts-tasks', 'app', [
      'base',
      'progress',
      'dag',
      'transport',
      'task',
      'actor',
      'cluster/(messages|master-link)',
    ]),
    layer('deploy-makes-processes', 'deploy', ['base', 'transport', 'actor', 'app', 'cluster']),
    layer('cluster-knows-no-tasks', 'cluster', ['base', 'actor', 'transport', 'dag']),
    layer('client-is-the-way-in', 'client', [
      'base',
      'progress',
      'dag',
      'transport',
      'task',
      'actor',
      'app',
      'cluster',
    ]),
    layer('cli-uses-the-client', 'cli', [
      'base',
      'dag',
      'transport',
      'task',
      'app',
      'cluster',
      'deploy',
      'client',
    ]),
    layer('the-store-knows-no-cluster', 'cluster/store', ['base']),
    {
      name: 'pure-code-does-no-io',
      severity: 'error',
      from: { path: '^src/(base|progress|dag)/', pathNot: '^src/base/(environment|log)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'doors-only',
      severity: 'error',
      from: { path: '^(storm-compat|connectors)/' },
      to: { path: '^src/', pathNot: '^src/(index|spi|testing/index)\\.ts$' },
    },
    {
      name: 'connectors-by-their-doors',
      severity: 'error',
      from: { path: '^storm-compat/' },
      to: { path: '^connectors/', pathNot: '^connectors/[^/]+/index\\.ts$' },
    },
    {
      name: 'the-engine-knows-no-storm',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(storm-compat|connectors)/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.d.ts'],
    },
  },
}
