// Where our own drop-in `storm.py` lies, and how a child finds it: its directory comes last on PYTHONPATH, so that a
// `storm.py` among the topology's own resources (its working directory) always wins.
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = import.meta.url.endsWith('.ts')
  ? './resources'
  : '../../../storm-compat/multilang/resources'

export const ownResources = fileURLToPath(new URL(HERE, import.meta.url))

/** The environment of a shell component with our module path added. */
export function withOwnModules(env: Readonly<Record<string, string>>): Record<string, string> {
  const theirs = env.PYTHONPATH ?? process.env.PYTHONPATH
  const path =
    theirs === undefined || theirs === '' ? ownResources : `${theirs}${delimiter}${ownResources}`
  return { ...env, PYTHONPATH: path }
}
