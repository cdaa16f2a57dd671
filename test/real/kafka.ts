// A real Apache Kafka of one or more nodes on loopback (KRaft: each is broker and controller), started and ended by the test that needs
// it. What it keeps goes with it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from './etcd.ts'

const READY_MS = 90_000
const HEAP = '-Xmx384m'
/** 22 characters that are base64 of 16 bytes; the same on all nodes of a cluster. */
const CLUSTER_ID = 'AAAAAAAAQACAAAAAAAAAAQ'
const MAIN = 'kafka.Kafka'

export const KAFKA_VERSIONS = ['3.9.2', '4.4.0'] as const
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number]

export interface KafkaOptions {
  /** Folder of the part `kafka`. */
  readonly dir: string
  readonly version?: KafkaVersion
  readonly nodes?: number
  /** A second listener for users: `kafka.secured` has its addresses. */
  readonly secured?: 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL'
  /** More lines of server.properties. */
  readonly lines?: readonly string[]
}

export interface KafkaUser {
  readonly username: string
  readonly password: string
}

/** Who may use the secured listener, by PLAIN or SCRAM. */
export const ALICE: KafkaUser = { username: 'alice', password: 'wonder-4711' }

export interface Kafka {
  readonly brokers: readonly string[]
  readonly secured: readonly string[]
  readonly nodes: readonly KafkaNode[]
  stop(): Promise<void>
}

export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const { nodes: count = 1 } = options
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-kafka-'))
  const ports = await freePorts(3 * count)
  const nodes = Array.from(
    { length: count },
    (_, i) => new KafkaNode(options, join(directory, `node${i + 1}`), i, ports),
  )
  const stop = async () => {
    await Promise.all(nodes.map(node => node.end()))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await Promise.all(nodes.map(node => node.prepare()))
    for (const node of nodes) node.start()
    await Promise.all(nodes.map(node => node.ready()))
  } catch (error) {
    await stop()
    throw error
  }
  const at = (k: number) => nodes.map((_, i) => `127.0.0.1:${ports[k * count + i]}`)
  return { nodes, brokers: at(0), secured: at(2), stop }
}

export class KafkaNode {
  readonly directory: string
  readonly port: number
  readonly #options: KafkaOptions
  readonly #classPath: string
  readonly #properties: string
  #child: ChildProcess | undefined

  constructor(options: KafkaOptions, directory: string, index: number, ports: readonly number[]) {
    const { dir, version = '4.4.0' } = options
    this.directory = directory
    this.#options = options
    this.#classPath = join(dir, version, 'jars', '*')
    this.#properties = join(directory, 'server.properties')
    this.port = ports[index]!
    mkdirSync(directory, { recursive: true })
    writeFileSync(this.#properties, propertiesOf(options, directory, index, ports))
  }

  async prepare(): Promise<void> {
    const { username, password } = ALICE
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
      '--add-scram',
      `${mechanism}=[name=${username},password=${password}]`,
    ])
    const args = ['format', '-t', CLUSTER_ID, '-c', this.#properties, ...scram]
    const java = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', this.#classPath]
    await promisify(execFile)('java', [...java, 'kafka.tools.StorageTool', ...args])
  }

  start(): void {
    const jvm = [HEAP, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
    const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
    const args = [...jvm, quiet, '-cp', this.#classPath, MAIN, this.#properties]
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = (data: Buffer) => appendFileSync(join(this.directory, 'log.txt'), data)
    child.stdout.on('data', log)
    child.stderr.on('data', log)
    this.#child = child
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** After `signal('SIGKILL')`: the same node again, on what it has on disk. */
  async restart(): Promise<void> {
    await this.end()
    this.start()
    await this.ready()
  }

  async end(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async ready(): Promise<void> {
    const endMs = performance.now() + READY_MS
    while (!(await answers(this.port))) {
      if (performance.now() > endMs || this.#child!.exitCode !== null) {
        const log = join(this.directory, 'log.txt')
        const said = existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : ''
        throw new Error(`Kafka ${this.#options.version ?? ''} did not come up: ${said}`)
      }
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (up: boolean) => {
      socket.destroy()
      resolve(up)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

function propertiesOf(
  { secured, lines = [], nodes = 1 }: KafkaOptions,
  directory: string,
  index: number,
  ports: readonly number[],
): string {
  const voters = Array.from({ length: nodes }, (_, i) => `${i + 1}@127.0.0.1:${ports[nodes + i]}`)
  const plain = `PLAINTEXT://127.0.0.1:${ports[index]}`
  const more = secured === undefined ? '' : `,SECURED://127.0.0.1:${ports[2 * nodes + index]}`
  const inSync = nodes >= 3 ? 2 : 1
  const protocols = `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${secured === undefined ? '' : `,SECURED:${secured}`}`
  const { username, password } = ALICE
  const module = 'org.apache.kafka.common.security'
  const sasl = [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    `listener.name.secured.plain.sasl.jaas.config=${module}.plain.PlainLoginModule required user_${username}="${password}";`,
    ...['256', '512'].map(
      bits =>
        `listener.name.secured.scram-sha-${bits}.sasl.jaas.config=${module}.scram.ScramLoginModule required;`,
    ),
  ]
  return [
    'process.roles=broker,controller',
    `node.id=${index + 1}`,
    `controller.quorum.voters=${voters.join(',')}`,
    'controller.listener.names=CONTROLLER',
    `listeners=${plain},CONTROLLER://127.0.0.1:${ports[nodes + index]}${more}`,
    `advertised.listeners=${plain}${more}`,
    `listener.security.protocol.map=${protocols}`,
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${join(directory, 'log')}`,
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
    ...['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic'].flatMap(
      topic => [`${topic}.num.partitions=3`, `${topic}.replication.factor=${nodes}`],
    ),
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    `default.replication.factor=${nodes}`,
    `min.insync.replicas=${inSync}`,
    ...(secured?.startsWith('SASL') === true ? sasl : []),
    ...lines,
    '',
  ].join('\n')
}
