package gearpump.host;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;

/** One metrics consumer on a thread of its own, so that one which is slow holds up no task; what it cannot keep up with is dropped. */
final class MetricsConsumer implements Runnable {
  /** Storm's own number, for a registration that does not say {@code max.retain.metric.tuples}. */
  private static final int WAITING_MAX = 100;
  /** How long its end is waited for: the task that closes last has no more time itself. */
  private static final long END_MS = 1_000;
  private static final long LOOK_MS = 100;

  private final MetricsConsumers all;
  private final Object consumer;
  private final Method handle;
  private final Method cleanup;
  /** Since Storm 1.1, where the registration asks for them; else null. */
  private Object expander;
  private Object filter;
  /** The task and its data points. The oldest goes when there is no room. */
  private final LinkedBlockingDeque<Object[]> waiting;
  private final Thread thread;
  private volatile boolean ended;

  MetricsConsumer(MetricsConsumers all, StormLine line, Object consumer, Map<?, ?> registration)
      throws ReflectiveOperationException {
    this.all = all;
    this.consumer = consumer;
    Class<?> type = line.type("metric.api.IMetricsConsumer");
    handle = type.getMethod("handleDataPoints", line.type("metric.api.IMetricsConsumer$TaskInfo"), Collection.class);
    cleanup = type.getMethod("cleanup");
    Object most = registration.get("max.retain.metric.tuples");
    waiting = new LinkedBlockingDeque<>(most instanceof Number ? Math.max(1, ((Number) most).intValue()) : WAITING_MAX);
    Object white = registration.get("whitelist");
    Object black = registration.get("blacklist");
    if (white != null || black != null) {
      filter = line.make("metric.filter.FilterByMetricName", new Class<?>[] {List.class, List.class}, white, black);
    }
    if (Boolean.TRUE.equals(registration.get("expandMapType"))) {
      Object separator = registration.get("metricNameSeparator");
      Class<?>[] types = {boolean.class, String.class};
      expander = line.make("metric.util.DataPointExpander", types, true, separator == null ? "." : separator);
    }
    thread = new Thread(this, "metrics-consumer");
    thread.setDaemon(true);
    thread.setContextClassLoader(consumer.getClass().getClassLoader());
  }

  void start() {
    thread.start();
  }

  void take(Object task, List<Object> points) {
    Object[] both = {task, points};
    while (!waiting.offer(both)) waiting.poll();
  }

  /** It takes what is waiting, and cleans up. */
  void end() {
    ended = true;
    try {
      thread.join(END_MS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void run() {
    try {
      for (;;) {
        // Read before the look: what was told until then is there.
        boolean last = ended;
        Object[] next = waiting.poll(last ? 0 : LOOK_MS, TimeUnit.MILLISECONDS);
        if (next != null) handle(next[0], (Collection<?>) next[1]);
        else if (last) break;
      }
      call(cleanup);
    } catch (InterruptedException stopped) {
      // Nobody else has its thread but its own code, which wants it to end.
      Thread.currentThread().interrupt();
    }
  }

  private void handle(Object task, Collection<?> points) {
    try {
      Collection<?> all = expander == null ? points : (Collection<?>)
          expander.getClass().getMethod("expandDataPoints", Collection.class).invoke(expander, points);
      List<Object> wanted = new ArrayList<>();
      for (Object point : all) {
        if (filter == null || passes(point)) wanted.add(point);
      }
      call(handle, task, wanted);
    } catch (ReflectiveOperationException failure) {
      this.all.report(failure);
    }
  }

  private boolean passes(Object point) throws ReflectiveOperationException {
    for (Method method : filter.getClass().getMethods()) {
      // Beside the one of its interface, which takes any object.
      if (method.getName().equals("apply") && !method.isBridge()) return (Boolean) method.invoke(filter, point);
    }
    return true;
  }

  private void call(Method method, Object... arguments) {
    try {
      method.invoke(consumer, arguments);
    } catch (InvocationTargetException thrown) {
      all.report(thrown.getCause());
    } catch (ReflectiveOperationException failure) {
      all.report(failure);
    }
  }
}
