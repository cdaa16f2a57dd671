// Settings of Storm that are not honoured here, with the reason. `refused` is for those that change what the components can do or
// see, where running without them would be worse than not running. Everything that only tunes Storm's own machinery is `ignored`.
import { ABSENT, type Row } from './setting-row.ts'

const PROGRESSIVE = 'org.apache.storm.policy.WaitStrategyProgressive'

const NO_JVM =
  'the JVM of Java components is set up by gearpump.jvm.* and topology.worker.childopts'
const NO_QUEUES = "queues are bounded by credits, not by Storm's buffers"
const NO_RAS = 'there is no resource-aware scheduler'
const NO_KRYO = "values travel in the engine's own lossless encoding"
const NO_METRICS_V2 = 'metrics are always on and need no reporter class'
const IDLE_BOLT = 'an idle bolt costs nothing and does not spin'
const IDLE_SPOUT =
  'set topology.sleep.spout.wait.strategy.time.ms: the wait after an empty nextTuple'
const NO_USERS = 'whoever may submit may do everything with every topology'
const LOGIN = 'the owner is who logged in to submit'

export const refused: readonly Row[] = [
  [
    'topology.blobstore.map',
    'map',
    ABSENT,
    'blobs are not laid beside components, which would miss their files: put them into the resources folder',
  ],
  [
    'topology.oci.image',
    'string',
    ABSENT,
    'components are not started in containers: they would run outside of the image they ask for',
  ],
]

export const ignored: readonly Row[] = [
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
  [
    'topology.min.replication.count',
    'number',
    1,
    'the code of a topology is kept by the store of the cluster',
  ],
  [
    'topology.max.replication.wait.time.sec',
    'number',
    60,
    'the code of a topology is kept by the store of the cluster',
  ],

  // metrics, events, errors
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
  [
    'topology.state.synchronization.timeout.secs',
    'integer > 0',
    60,
    'state spouts of Storm, which nobody uses',
  ],
  ['topology.transactional.id', 'string', ABSENT, 'transactional topologies are Java only'],
  ['topology.trident.batch.emit.interval.millis', 'integer > 0', 500, 'Trident is Java only'],
  ['topology.trident.windowing.cache.tuple.limit', 'integer > 0', ABSENT, 'Trident is Java only'],

  // who and where from
  ['topology.users', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.groups', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.readonly.users', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.readonly.groups', 'string or list of strings', ABSENT, NO_USERS],
  ['topology.submitter.principal', 'string', ABSENT, LOGIN],
  ['topology.submitter.user', 'string', ABSENT, LOGIN],
  [
    'topology.auto-credentials',
    'list of strings',
    ABSENT,
    'there are no plug-ins for credentials: give them with the submission or by storm upload-credentials',
  ],
  ['topology.version', 'string', ABSENT, 'no topology can be found by its version'],
  ['storm.id', 'string', ABSENT, 'given at each submission'],
]
