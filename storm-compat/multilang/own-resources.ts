// Where our own drop-in `storm.py` lies, and how a child finds it: its directory comes last on PYTHONPATH, so that a
// `storm.py` among the topology's own resources (its working directory) always wins.
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Conf } from '../component/api.ts'
import { chooseSerializer } from './serializers.ts'

const HERE = import.meta.url.endsWith('.ts')
  ? './resources'
  : '../../../storm-compat/multilang/resources'

export const ownResources = fileURLToPath(new URL(HERE, import.meta.url))

/**
 * The environment of a shell component: the topology's (`topology.environment`), the component's own over it, our
 * modules found last, and how our `storm.py` is spoken to, so that it takes its pipes before the first import prints.
 */
export function childModules(
  conf: Conf,
  command: readonly string[],
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const env = { ...textsOf(conf['topology.environment']), ...own }
  const theirs = env.PYTHONPATH ?? process.env.PYTHONPATH
  const none = theirs === undefined || theirs === ''
  const path = none ? ownResources : `${theirs}${delimiter}${ownResources}`
  const serializer = chooseSerializer(conf, command).name === 'json' ? 'json' : 'msgpack'
  return { ...env, PYTHONPATH: path, GEARPUMP_MULTILANG_SERIALIZER: serializer }
}

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
}
