// Every `topology.*` setting of Storm 0.9 to 2.8 (and the few others that a topology may carry): its type, Storm's
// default, and what happens to it here. settings.ts reads this table to merge and to check; docs/storm-settings.md is
// printed from it. A row is facts, not code: to honour a setting, change its row when the runtime does it.
//
// `refused` is for settings that change what the components can do or see, where running without them would be
// worse than not running. Everything that only tunes Storm's own machinery is `ignored`.

export type SettingType =
  | 'boolean'
  | 'integer'
  | 'integer > 0'
  | 'integer >= 0'
  | 'number'
  | 'number > 0'
  | 'number >= 0'
  | 'string'
  | 'list of strings'
  | 'string or list of strings'
  | 'map of strings'
  | 'map of numbers'
  | 'map'
  | 'list'
  | 'list or map'

export type Treatment = 'honoured' | 'ignored' | 'refused'

export interface Setting {
  readonly key: string
  readonly type: SettingType
  /** Storm's default; undefined = the key is absent from the merged conf until somebody sets it. */
  readonly default: unknown
  readonly treatment: Treatment
  /** Honoured: what it does here. Ignored and refused: why. One line, without a full stop. */
  readonly note: string
}

type Row = readonly [key: string, type: SettingType, fallback: unknown, note: string]

const PROGRESSIVE = 'org.apache.storm.policy.WaitStrategyProgressive'
const ABSENT = undefined

const NO_JVM = 'there is no JVM behind a component'
const NO_QUEUES = "queues are bounded by credits, not by Storm's buffers"
const NO_RAS = 'there is no resource-aware scheduler'
const NO_JAVA_WINDOWS = 'windows of Java bolts only'
const NO_KRYO = "values travel in the engine's own lossless encoding"
const NO_METRICS_V2 = 'metrics are always on and need no reporter class'
const IDLE_BOLT = 'an idle bolt costs nothing and does not spin'
const IDLE_SPOUT =
  'set topology.sleep.spout.wait.strategy.time.ms: the wait after an empty nextTuple'
const NO_USERS = 'topologies have no owners or permissions'

const honoured: readonly Row[] = [
  [
    'topology.name',
    'string',
    ABSENT,
    'the name of the topology, unless one was given at submission',
  ],
  [
    'topology.workers',
    'integer > 0',
    1,
    'the default number of `__acker` tasks; a local run is spread over processes by `--executors`',
  ],
  [
    'topology.tasks',
    'integer >= 0',
    null,
    'number of tasks of a component, instead of its parallelism hint',
  ],
  [
    'topology.max.task.parallelism',
    'integer > 0',
    null,
    'upper bound of the tasks of each component',
  ],
  [
    'topology.acker.executors',
    'integer >= 0',
    null,
    '0: nothing is tracked, ids are acked at once; else it only counts `__acker` in the numbering of tasks',
  ],
  [
    'topology.message.timeout.secs',
    'integer > 0',
    30,
    'a message that is not finished after one to two times this fails',
  ],
  ['topology.enable.message.timeouts', 'boolean', true, 'false: messages never time out'],
  ['topology.max.spout.pending', 'integer > 0', null, 'open reliable messages of one spout task'],
  ['topology.tick.tuple.freq.secs', 'integer >= 0', null, 'ticks for bolts; 0 and null mean none'],
  [
    'topology.sleep.spout.wait.strategy.time.ms',
    'integer >= 0',
    1,
    'wait after a nextTuple that emitted nothing',
  ],
  ['topology.shellbolt.max.pending', 'integer > 0', 100, 'tuples queued for one child process'],
  [
    'topology.subprocess.timeout.secs',
    'integer > 0',
    ABSENT,
    'a child that is silent for so long is restarted (default: supervisor.worker.timeout.secs)',
  ],
  [
    'topology.multilang.serializer',
    'string',
    'org.apache.storm.multilang.JsonSerializer',
    'how child processes are spoken to: JSON or MessagePack',
  ],
  ['topology.environment', 'map of strings', null, 'environment variables of child processes'],
  ['topology.debug', 'boolean', false, 'logs every tuple that is emitted'],
  [
    'supervisor.worker.timeout.secs',
    'integer > 0',
    30,
    'stands in for topology.subprocess.timeout.secs',
  ],
  ['drpc.servers', 'list of strings', ABSENT, 'hosts of the DRPC servers that are answered'],
  ['drpc.invocations.port', 'integer > 0', 3773, 'their port for topologies'],
  [
    'drpc.invocations.thrift.transport',
    'string',
    ABSENT,
    'DigestSaslTransportPlugin: log in at them; else storm.thrift.transport says so',
  ],
  [
    'java.security.auth.login.config',
    'string',
    ABSENT,
    'who to log in as: a JAAS file on the hosts of the executors, with the section StormClient',
  ],
  ['gearpump.drpc.use.tls', 'boolean', ABSENT, 'ours; speak TLS with the DRPC servers'],
  ['gearpump.tls.ca', 'string', ABSENT, 'ours; who signed their certificates (PEM file)'],
  ['gearpump.tls.cert', 'string', ABSENT, 'ours; the own certificate, if they want one (PEM file)'],
  ['gearpump.tls.key', 'string', ABSENT, 'ours; its private key (PEM file)'],
  [
    'topology.worker.childopts',
    'string or list of strings',
    null,
    'options of the JVM of Java components, after our own',
  ],
  ['topology.auto.task.hooks', 'list of strings', ABSENT, 'for the tasks of Java components'],
  [
    'gearpump.jvm.home',
    'string',
    ABSENT,
    'ours; the Java runtime of Java components (default: JAVA_HOME, else java on PATH)',
  ],
  [
    'gearpump.jvm.class.path',
    'string or list of strings',
    ABSENT,
    "ours; Storm's jars for Java components, as parts of a class path (default: STORM_HOME, GEARPUMP_STORM_JARS)",
  ],
  [
    'gearpump.jvm.heap.mb',
    'integer > 0',
    ABSENT,
    'ours; heap of the JVM of Java components in each executor (default: 96)',
  ],
  [
    'gearpump.multilang.replace.storm.py',
    'boolean',
    ABSENT,
    'ours; true: our storm.py takes the place of the one in the submitted jar, which until Storm 1.0 is for Python 2',
  ],
  [
    'wire.task.ids.ahead',
    'boolean',
    ABSENT,
    "ours; false: a child on Storm's storm.py or storm.rb gets the task ids of an emit after it, never before",
  ],
  [
    'wire.message.bytes.max',
    'integer > 0',
    ABSENT,
    'ours; a child that sends a longer message is restarted (default: 64 MiB)',
  ],
  ['pystorm.log.path', 'string', ABSENT, 'read by pystorm in the child'],
  ['pystorm.log.file', 'string', ABSENT, 'read by pystorm in the child'],
  ['pystorm.log.level', 'string', ABSENT, 'read by pystorm in the child'],
  ['pystorm.log.format', 'string', ABSENT, 'read by pystorm in the child'],
  ['pystorm.log.max_bytes', 'integer >= 0', ABSENT, 'read by pystorm in the child'],
  ['pystorm.log.backup_count', 'integer >= 0', ABSENT, 'read by pystorm in the child'],
]

const refused: readonly Row[] = [
  [
    'topology.blobstore.map',
    'map',
    ABSENT,
    'there is no blob store: components would miss their files; put them into the resources folder',
  ],
  [
    'topology.oci.image',
    'string',
    ABSENT,
    'components are not started in containers: they would run outside of the image they ask for',
  ],
]

const ignored: readonly Row[] = [
  // reliability
  ['topology.ras.acker.executors.per.worker', 'integer >= 0', 1, 'no ackers run'],
  ['topology.acker.cpu.pcore.percent', 'number >= 0', ABSENT, 'no ackers run'],
  ['topology.acker.resources.onheap.memory.mb', 'number >= 0', ABSENT, 'no ackers run'],
  ['topology.acker.resources.offheap.memory.mb', 'number >= 0', ABSENT, 'no ackers run'],
  ['topology.upstream.feedback.enable', 'boolean', ABSENT, NO_QUEUES],
  ['topology.upstream.feedback.freq.secs', 'integer > 0', ABSENT, NO_QUEUES],

  // waiting
  ['topology.spout.wait.strategy', 'string', PROGRESSIVE, IDLE_SPOUT],
  ['topology.spout.wait.park.microsec', 'number >= 0', 100, IDLE_SPOUT],
  ['topology.spout.wait.progressive.level1.count', 'integer >= 0', 0, IDLE_SPOUT],
  ['topology.spout.wait.progressive.level2.count', 'integer >= 0', 0, IDLE_SPOUT],
  ['topology.spout.wait.progressive.level3.sleep.millis', 'number >= 0', 1, IDLE_SPOUT],
  ['topology.spout.recvq.skips', 'integer >= 0', 3, IDLE_SPOUT],
  ['topology.bolt.wait.strategy', 'string', PROGRESSIVE, IDLE_BOLT],
  ['topology.bolt.wait.park.microsec', 'number >= 0', 100, IDLE_BOLT],
  ['topology.bolt.wait.progressive.level1.count', 'integer >= 0', 1, IDLE_BOLT],
  ['topology.bolt.wait.progressive.level2.count', 'integer >= 0', 1000, IDLE_BOLT],
  ['topology.bolt.wait.progressive.level3.sleep.millis', 'number >= 0', 1, IDLE_BOLT],

  // queues and back pressure
  ['topology.backpressure.enable', 'boolean', ABSENT, 'back pressure is always on'],
  ['topology.backpressure.check.millis', 'integer > 0', 50, NO_QUEUES],
  ['topology.backpressure.wait.strategy', 'string', PROGRESSIVE, NO_QUEUES],
  ['topology.backpressure.wait.park.microsec', 'number >= 0', 100, NO_QUEUES],
  ['topology.backpressure.wait.progressive.level1.count', 'integer >= 0', 1, NO_QUEUES],
  ['topology.backpressure.wait.progressive.level2.count', 'integer >= 0', 1000, NO_QUEUES],
  ['topology.backpressure.wait.progressive.level3.sleep.millis', 'number >= 0', 1, NO_QUEUES],
  ['topology.executor.receive.buffer.size', 'integer > 0', 32768, NO_QUEUES],
  ['topology.executor.send.buffer.size', 'integer > 0', ABSENT, NO_QUEUES],
  ['topology.executor.overflow.limit', 'integer >= 0', 0, NO_QUEUES],
  ['topology.receiver.buffer.size', 'integer > 0', ABSENT, NO_QUEUES],
  ['topology.transfer.buffer.size', 'integer > 0', 1000, NO_QUEUES],
  ['topology.transfer.batch.size', 'integer > 0', 1, NO_QUEUES],
  ['topology.producer.batch.size', 'integer > 0', 1, NO_QUEUES],
  ['topology.producer.batch.dynamic', 'boolean', ABSENT, NO_QUEUES],
  ['topology.batch.flush.interval.millis', 'integer >= 0', 1, NO_QUEUES],
  ['topology.bolts.outgoing.overflow.buffer.enable', 'boolean', ABSENT, NO_QUEUES],
  ['topology.disruptor.wait.strategy', 'string', ABSENT, NO_QUEUES],
  ['topology.disruptor.wait.timeout.millis', 'integer >= 0', ABSENT, NO_QUEUES],
  ['topology.disruptor.batch.size', 'integer > 0', ABSENT, NO_QUEUES],
  ['topology.disruptor.batch.timeout.millis', 'integer > 0', ABSENT, NO_QUEUES],
  ['topology.worker.receiver.thread.count', 'integer > 0', 1, NO_QUEUES],
  ['topology.worker.shared.thread.pool.size', 'integer', 4, NO_JVM],
  [
    'topology.disable.loadaware.messaging',
    'boolean',
    false,
    'shuffle grouping does not look at load',
  ],
  [
    'topology.localityaware.higher.bound',
    'number > 0',
    0.8,
    'shuffle grouping does not look at load',
  ],
  [
    'topology.localityaware.lower.bound',
    'number > 0',
    0.2,
    'shuffle grouping does not look at load',
  ],

  // serialisation
  ['topology.kryo.register', 'list or map', ABSENT, NO_KRYO],
  ['topology.kryo.decorators', 'list of strings', ABSENT, NO_KRYO],
  ['topology.kryo.factory', 'string', 'org.apache.storm.serialization.DefaultKryoFactory', NO_KRYO],
  ['topology.skip.missing.kryo.registrations', 'boolean', false, NO_KRYO],
  ['topology.fall.back.on.java.serialization', 'boolean', false, NO_KRYO],
  ['topology.testing.always.try.serialize', 'boolean', false, NO_KRYO],
  [
    'topology.tuple.serializer',
    'string',
    'org.apache.storm.serialization.types.ListDelegateSerializer',
    NO_KRYO,
  ],
  ['topology.tuple.compression.enable', 'boolean', ABSENT, NO_KRYO],
  ['topology.tuple.compression.threshold', 'number >= 0', ABSENT, NO_KRYO],
  ['topology.tuple.compression.max.decompressed.bytes', 'number > 0', ABSENT, NO_KRYO],

  // the JVM
  ['topology.classpath', 'string or list of strings', null, NO_JVM],
  ['topology.classpath.beginning', 'string or list of strings', ABSENT, NO_JVM],
  ['topology.worker.gc.childopts', 'string or list of strings', ABSENT, NO_JVM],
  ['topology.worker.logwriter.childopts', 'string or list of strings', '-Xmx64m', NO_JVM],
  ['topology.worker.max.heap.size.mb', 'number > 0', 768, NO_JVM],
  [
    'topology.multilang.log.handler',
    'string',
    ABSENT,
    'log handlers are Java classes; lines go to the log of the component',
  ],
  ['topology.logging.config', 'string', ABSENT, NO_JVM],
  ['topology.logging.sensitivity', 'string', ABSENT, NO_JVM],

  // placement
  ['topology.priority', 'integer >= 0', 29, 'topologies do not compete'],
  ['topology.isolate.machines', 'integer > 0', ABSENT, NO_RAS],
  [
    'topology.scheduler.strategy',
    'string',
    'org.apache.storm.scheduler.resource.strategies.scheduling.DefaultResourceAwareStrategy',
    NO_RAS,
  ],
  ['topology.scheduler.favored.nodes', 'list of strings', ABSENT, NO_RAS],
  ['topology.scheduler.unfavored.nodes', 'list of strings', ABSENT, NO_RAS],
  ['topology.spread.components', 'list of strings', ABSENT, NO_RAS],
  ['topology.component.resources.map', 'map of numbers', ABSENT, NO_RAS],
  ['topology.component.resources.onheap.memory.mb', 'number >= 0', 128, NO_RAS],
  ['topology.component.resources.offheap.memory.mb', 'number >= 0', 0, NO_RAS],
  ['topology.component.cpu.pcore.percent', 'number >= 0', 10, NO_RAS],
  ['topology.ras.constraints', 'list or map', ABSENT, NO_RAS],
  ['topology.ras.constraint.max.state.search', 'integer > 0', 10000, NO_RAS],
  ['topology.ras.constraint.max.time.secs', 'integer > 0', ABSENT, NO_RAS],
  ['topology.ras.one.executor.per.worker', 'boolean', false, NO_RAS],
  ['topology.ras.one.component.per.worker', 'boolean', false, NO_RAS],
  ['topology.ras.order.executors.by.proximity.needs', 'boolean', ABSENT, NO_RAS],
  [
    'topology.worker.timeout.secs',
    'integer > 0',
    ABSENT,
    'executors are watched by their sockets, not by heartbeats',
  ],
  [
    'topology.worker.nimbus.thrift.client.use.tls',
    'boolean',
    false,
    'executors do not talk to a nimbus',
  ],
  ['topology.min.replication.count', 'number', 1, 'there is no blob store'],
  ['topology.max.replication.wait.time.sec', 'number', 60, 'there is no blob store'],

  // metrics, events, errors
  ['topology.metrics.consumer.register', 'list', ABSENT, NO_METRICS_V2],
  ['topology.metrics.consumer.cpu.pcore.percent', 'number >= 0', ABSENT, NO_METRICS_V2],
  ['topology.metrics.consumer.resources.onheap.memory.mb', 'number >= 0', ABSENT, NO_METRICS_V2],
  ['topology.metrics.consumer.resources.offheap.memory.mb', 'number >= 0', ABSENT, NO_METRICS_V2],
  ['topology.metrics.reporters', 'list', ABSENT, NO_METRICS_V2],
  ['topology.worker.metrics', 'map of strings', ABSENT, NO_METRICS_V2],
  ['topology.enable.v2.metrics.tick', 'boolean', ABSENT, NO_METRICS_V2],
  ['topology.v2.metrics.tick.interval.seconds', 'integer > 0', ABSENT, NO_METRICS_V2],
  ['topology.enable.send.iconnection.metrics', 'boolean', ABSENT, NO_METRICS_V2],
  ['topology.serialized.message.size.metrics', 'boolean', false, NO_METRICS_V2],
  ['topology.builtin.metrics.bucket.size.secs', 'integer', 60, NO_METRICS_V2],
  ['topology.stats.sample.rate', 'number > 0', 0.05, 'everything is counted, nothing is sampled'],
  ['topology.stats.ewma.enable', 'boolean', ABSENT, NO_METRICS_V2],
  ['topology.stats.ewma.smoothing.factor', 'number > 0', ABSENT, NO_METRICS_V2],
  ['topology.event.logger.register', 'list', ABSENT, 'there is no event logger'],
  ['topology.eventlogger.executors', 'integer >= 0', 0, 'there is no event logger'],
  ['topology.eventlogger.max.retained.files', 'integer > 0', ABSENT, 'there is no event logger'],
  ['topology.eventlogger.rotation.size.mb', 'integer > 0', ABSENT, 'there is no event logger'],
  [
    'topology.error.throttle.interval.secs',
    'integer',
    10,
    'errors are bounded per component, by the engine',
  ],
  [
    'topology.max.error.report.per.interval',
    'integer > 0',
    5,
    'errors are bounded per component, by the engine',
  ],

  // Java APIs above the core
  ['topology.state.provider', 'string', ABSENT, 'state of Java bolts only'],
  ['topology.state.provider.config', 'string', ABSENT, 'state of Java bolts only'],
  ['topology.state.checkpoint.interval.ms', 'integer > 0', 1000, 'state of Java bolts only'],
  ['topology.state.kryo.register', 'list of strings', ABSENT, 'state of Java bolts only'],
  [
    'topology.state.synchronization.timeout.secs',
    'integer > 0',
    60,
    'state spouts of Storm, which nobody uses',
  ],
  ['topology.bolts.window.length.count', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.window.length.duration.ms', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.window.sliding.interval.count', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.window.sliding.interval.duration.ms', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.late.tuple.stream', 'string', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.tuple.timestamp.field.name', 'string', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.tuple.timestamp.max.lag.ms', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.watermark.event.interval.ms', 'integer > 0', ABSENT, NO_JAVA_WINDOWS],
  ['topology.bolts.message.id.field.name', 'string', ABSENT, 'state of Java bolts only'],
  ['topology.transactional.id', 'string', ABSENT, 'transactional topologies are Java only'],
  ['topology.trident.batch.emit.interval.millis', 'integer > 0', 500, 'Trident is Java only'],
  ['topology.trident.windowing.cache.tuple.limit', 'integer > 0', ABSENT, 'Trident is Java only'],

  // who and where from
  ['topology.users', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.groups', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.readonly.users', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.readonly.groups', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.submitter.principal', 'string', ABSENT, NO_USERS],
  ['topology.submitter.user', 'string', ABSENT, NO_USERS],
  ['topology.auto-credentials', 'list of strings', ABSENT, 'credentials are for Java components'],
  ['topology.version', 'string', ABSENT, 'no topology can be found by its version'],
  ['storm.id', 'string', ABSENT, 'given at each submission'],
]

function settings(treatment: Treatment, rows: readonly Row[]): Setting[] {
  return rows.map(([key, type, fallback, note]) => ({
    key,
    type,
    default: fallback,
    treatment,
    note,
  }))
}

/** The table, by key. */
export const settingsTable: ReadonlyMap<string, Setting> = new Map(
  [
    ...settings('honoured', honoured),
    ...settings('refused', refused),
    ...settings('ignored', ignored),
  ].map(setting => [setting.key, setting]),
)

/** Settings that Storm does not accept as null; for all others null means "not set". */
export const neverNull: ReadonlySet<string> = new Set([
  'topology.message.timeout.secs',
  'topology.shellbolt.max.pending',
  'topology.disable.loadaware.messaging',
  'topology.localityaware.higher.bound',
  'topology.localityaware.lower.bound',
  'topology.scheduler.strategy',
  'topology.state.synchronization.timeout.secs',
  'topology.producer.batch.size',
  'topology.executor.overflow.limit',
  'topology.backpressure.check.millis',
  'topology.batch.flush.interval.millis',
  'topology.spout.recvq.skips',
])
