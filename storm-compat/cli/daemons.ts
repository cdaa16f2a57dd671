// Verbs of Storm that start a daemon or look after one. Here the master does the work of most of them; each says what is
// used instead, and exits with 2.
import { EXIT_USAGE, type Verb } from './verb.ts'

const MASTER = 'its work is done by the Nimbus of gearpump'
const NO_ZOOKEEPER = 'no ZooKeeper is used'

const INSTEAD: Readonly<Record<string, string>> = {
  supervisor: `${MASTER}: no supervisor is needed`,
  pacemaker: `${MASTER}: no heartbeats go through a pacemaker`,
  logviewer: 'log files of components are where --log-dir says, see the start of the log',
  'dev-zookeeper': NO_ZOOKEEPER,
  heartbeats: NO_ZOOKEEPER,
  admin: `${NO_ZOOKEEPER}, so there is nothing in it to mend`,
  kill_workers:
    'processes of a topology belong to its application, not to a supervisor: "storm kill TOPOLOGY" ends them',
  'node-health-check': 'health checks belong to a supervisor, and none is needed',
  healthcheck: 'health checks belong to a supervisor, and none is needed',
  repl: 'it is a Clojure prompt of Storm itself',
  sql: 'Storm SQL is Java: package it as a jar and give that to "storm jar"',
}

/** Verbs that only say what is used instead. */
export const daemonVerbs: ReadonlyMap<string, Verb> = new Map(
  Object.entries(INSTEAD).map(([name, instead]) => [
    name,
    {
      usage: `storm ${name}`,
      summary: `not needed: ${instead}`,
      run: async (_argv, around) => {
        around.note(`storm: "storm ${name}" does nothing here: ${instead}`)
        return EXIT_USAGE
      },
    },
  ]),
)
