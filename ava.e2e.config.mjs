// Tests that run the built package as users do: real processes, real components. `npm run build` first.
export default {
  extensions: { ts: 'module' },
  files: ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'],
  workerThreads: false,
  nodeArguments: ['--import=./test/register.mjs'],
  timeout: '180s',
  // They wait for processes more than they compute.
  concurrency: 2,
}
