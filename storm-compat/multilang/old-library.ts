// The storm.py that jars of Storm 0.9 and 0.10 bring is for Python 2, that of 1.0 nearly works on Python 3. What Python 3 says of them
// is recognised here, for the error that tells of it; and ours takes their place where a topology asks for that.
import { copyFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Conf } from '../component/api.ts'
import { ownResources } from './own-resources.ts'

const LIBRARY = 'storm.py'
export const REPLACE_SETTING = 'gearpump.multilang.replace.storm.py'

/** Its statement `print x` is none any more; only then the file that is named does not compile. */
const NOT_COMPILED =
  /storm\.py", line \d+[\s\S]*SyntaxError: (?:Missing parentheses|invalid syntax)/
/** It passes on what map() returns, which was a list. */
const NOT_A_LIST =
  /storm\.py", line \d+[\s\S]*map object at|Object of type '?map'? is not JSON serializable/

/** What to do about an old storm.py, if `text` (stderr, or an error that was reported) speaks of one. */
export function oldLibraryHint(text: string): string | undefined {
  if (!NOT_COMPILED.test(text) && !NOT_A_LIST.test(text)) return undefined
  return (
    'the storm.py that came with this topology is for Python 2, and a Python 3 runs it: submit it with ' +
    `${REPLACE_SETTING}=true (storm jar -c …), which puts our storm.py in its place, or have the command start a Python 2`
  )
}

/** Puts our storm.py in the place of the one in `resources`, if the topology says so and there is one. */
export async function replaceLibrary(conf: Conf, resources: string): Promise<void> {
  if (conf[REPLACE_SETTING] !== true) return
  const target = join(resources, LIBRARY)
  if (await isFile(target)) await copyFile(join(ownResources, LIBRARY), target)
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw thrown
  }
}
