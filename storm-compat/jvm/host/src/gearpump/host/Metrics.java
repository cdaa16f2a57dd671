package gearpump.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Metrics that the component has registered at its context: their values are told to the executor each time their bucket is full,
 * on the task's own thread, when it next does something.
 */
final class Metrics {
  private static final long NANOS_PER_SEC = 1_000_000_000L;

  private static final class Bucket {
    final long nanos;
    final Map<String, Object> metrics;
    long dueNanos;

    Bucket(long nanos, Map<String, Object> metrics) {
      this.nanos = nanos;
      this.metrics = metrics;
      dueNanos = System.nanoTime() + nanos;
    }
  }

  private final Task task;
  private final List<Bucket> buckets = new ArrayList<>();

  /** {@code registered}: seconds, then task, then name, as TopologyContext fills it. */
  @SuppressWarnings("unchecked")
  Metrics(Task task, Map<Object, Object> registered) {
    this.task = task;
    for (Map.Entry<Object, Object> bucket : registered.entrySet()) {
      Map<Object, Map<String, Object>> byTask = (Map<Object, Map<String, Object>>) bucket.getValue();
      long nanos = ((Number) bucket.getKey()).longValue() * NANOS_PER_SEC;
      for (Map<String, Object> metrics : byTask.values()) buckets.add(new Bucket(nanos, metrics));
    }
  }

  void tell(long nowNanos) throws ReflectiveOperationException {
    for (Bucket bucket : buckets) {
      if (nowNanos < bucket.dueNanos) continue;
      bucket.dueNanos = nowNanos + bucket.nanos;
      Class<?> type = task.host.line.type("metric.api.IMetric");
      for (Map.Entry<String, Object> metric : bucket.metrics.entrySet()) {
        Object value = type.getMethod("getValueAndReset").invoke(metric.getValue());
        if (value != null) task.metric(metric.getKey(), value);
      }
    }
  }
}
