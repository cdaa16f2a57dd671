package gearpump.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Metrics that the component has registered at its context: their values are told to the executor and to the metrics consumers each
 * time their interval is over, on the task's own thread.
 */
final class Metrics {
  private static final long NANOS_PER_SEC = 1_000_000_000L;
  private static final long NANOS_PER_MS = 1_000_000L;

  private static final class Bucket {
    final int seconds;
    final long nanos;
    final Map<String, Object> metrics;
    long dueNanos;

    Bucket(int seconds, Map<String, Object> metrics) {
      this.seconds = seconds;
      nanos = seconds * NANOS_PER_SEC;
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
      int seconds = ((Number) bucket.getKey()).intValue();
      for (Map<String, Object> metrics : byTask.values()) buckets.add(new Bucket(seconds, metrics));
    }
  }

  boolean due() {
    return !buckets.isEmpty() && waitNanos() <= 0;
  }

  /** Until they are due; 0 for ever. */
  long waitMs() {
    return buckets.isEmpty() ? 0 : Math.max(1, (waitNanos() + NANOS_PER_MS - 1) / NANOS_PER_MS);
  }

  private long waitNanos() {
    long nowNanos = System.nanoTime();
    long least = Long.MAX_VALUE;
    for (Bucket bucket : buckets) least = Math.min(least, bucket.dueNanos - nowNanos);
    return least;
  }

  void tell(long nowNanos) throws ReflectiveOperationException {
    for (Bucket bucket : buckets) {
      if (nowNanos < bucket.dueNanos) continue;
      bucket.dueNanos = nowNanos + bucket.nanos;
      Class<?> type = task.host.line.type("metric.api.IMetric");
      Map<String, Object> values = new HashMap<>();
      for (Map.Entry<String, Object> metric : bucket.metrics.entrySet()) {
        Object value = type.getMethod("getValueAndReset").invoke(metric.getValue());
        if (value == null) continue;
        task.metric(metric.getKey(), value);
        values.put(metric.getKey(), value);
      }
      task.host.consumers.tell(task, bucket.seconds, values);
    }
  }
}
