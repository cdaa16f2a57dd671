// A topology of three components on storm.py, one of which reports an error, submitted by the built `storm` as Flux.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { jarOf } from './nimbus-run.ts'

const STORM = fileURLToPath(new URL('../../../bin/storm', import.meta.url))
const RESOURCES = fileURLToPath(new URL('./resources', import.meta.url))
/** A command that takes longer hangs. */
const HANGS_MS = 120_000

const GRUMBLE = `import storm


class Grumble(storm.BasicBolt):
    def process(self, tup):
        if tup.values[0] == "moon" and not hasattr(self, "told"):
            self.told = True
            storm.reportError("the moon is made of cheese")


Grumble().run()
`

const FLUX = `name: tour
config:
  topology.workers: 2
bolts:
  - id: split
    className: org.apache.storm.flux.wrappers.bolts.FluxShellBolt
    constructorArgs: [[python3, split.py], [word]]
    parallelism: 2
  - id: grumble
    className: org.apache.storm.flux.wrappers.bolts.FluxShellBolt
    constructorArgs: [[python3, grumble.py], []]
spouts:
  - id: sentences
    className: org.apache.storm.flux.wrappers.spouts.FluxShellSpout
    constructorArgs: [[python3, sentences.py], [sentence]]
streams:
  - { from: sentences, to: split, grouping: { type: SHUFFLE } }
  - { from: split, to: grumble, grouping: { type: SHUFFLE } }
`

/** 200 sentences, 1400 words, one error. */
export async function submitTour(to: {
  /** For the files that are submitted. */
  readonly dir: string
  readonly port: number
  readonly stormPy: string
}): Promise<void> {
  const grumble = join(to.dir, 'grumble.py')
  const yaml = join(to.dir, 'tour.yaml')
  const jar = join(to.dir, 'tour.jar')
  writeFileSync(grumble, GRUMBLE)
  writeFileSync(yaml, FLUX)
  writeFileSync(jar, jarOf(RESOURCES, to.stormPy, grumble))
  const flux = ['jar', jar, 'org.apache.storm.flux.Flux', '--remote', yaml]
  const settings = ['-c', `nimbus.thrift.port=${to.port}`, '-c', 'nimbus.seeds=["localhost"]']
  await promisify(execFile)(process.execPath, [STORM, ...flux, ...settings], { timeout: HANGS_MS })
}
