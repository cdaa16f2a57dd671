package gearpump.host;

import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The metrics consumers of the settings ({@code topology.metrics.consumer.register}): one of each beside the tasks of this process, for
 * what these have registered at their contexts. They are made before the first task begins, and clean up when the last one closes. A
 * consumer that throws is reported as an error of a task and goes on, one that cannot be made stops the task that is being opened.
 */
final class MetricsConsumers {
  private static final String SETTING = "topology.metrics.consumer.register";

  private final Host host;
  private final String hostName = hostName();
  private final Set<Task> tasks = new HashSet<>();
  private List<MetricsConsumer> consumers = Collections.emptyList();

  MetricsConsumers(Host host) {
    this.host = host;
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getCanonicalHostName();
    } catch (UnknownHostException nameless) {
      return "localhost";
    }
  }

  synchronized void join(Task task) throws ReflectiveOperationException {
    // In this order: who reports what went wrong is the task.
    tasks.add(task);
    if (tasks.size() == 1) consumers = made(task);
  }

  synchronized void leave(Task task) {
    if (!tasks.remove(task) || !tasks.isEmpty()) return;
    for (MetricsConsumer consumer : consumers) consumer.end();
    consumers = Collections.emptyList();
  }

  private List<MetricsConsumer> made(Task task) throws ReflectiveOperationException {
    Object registered = task.conf.get(SETTING);
    if (!(registered instanceof Collection)) return Collections.emptyList();
    List<MetricsConsumer> made = new ArrayList<>();
    for (Object registration : (Collection<?>) registered) {
      if (!(registration instanceof Map)) throw new IllegalArgumentException(SETTING + " must be a list of maps");
      made.add(consumer(task, (Map<?, ?>) registration));
    }
    for (MetricsConsumer consumer : made) consumer.start();
    return made;
  }

  private MetricsConsumer consumer(Task task, Map<?, ?> registration) throws ReflectiveOperationException {
    StormLine line = host.line;
    String name = String.valueOf(registration.get("class"));
    try {
      Object made = host.loader.loadClass(name).getConstructor().newInstance();
      Class<?>[] types = {Map.class, Object.class, line.type("task.TopologyContext"), line.type("task.IErrorReporter")};
      Object reporter = Proxy.newProxyInstance(host.loader, new Class<?>[] {types[3]}, (proxy, method, arguments) -> {
        if (method.getName().equals("reportError")) report((Throwable) arguments[0]);
        return null;
      });
      Object context = line.systemContext(host.topology.parts, task.conf);
      line.type("metric.api.IMetricsConsumer").getMethod("prepare", types)
          .invoke(made, task.conf, registration.get("argument"), context, reporter);
      return new MetricsConsumer(this, line, made, registration);
    } catch (ReflectiveOperationException | RuntimeException failure) {
      throw new IllegalStateException("the metrics consumer " + name + " of " + SETTING + " cannot be made", failure);
    }
  }

  /** What the metrics of one task and one interval have counted. */
  synchronized void tell(Task task, int seconds, Map<String, Object> values) throws ReflectiveOperationException {
    if (consumers.isEmpty() || values.isEmpty()) return;
    Class<?>[] types = {String.class, int.class, String.class, int.class, long.class, int.class};
    long nowSecs = System.currentTimeMillis() / 1000;
    Object info = host.line.make("metric.api.IMetricsConsumer$TaskInfo", types, hostName,
        host.topology.parts.workerPort, task.component, task.id, nowSecs, seconds);
    List<Object> points = new ArrayList<>(values.size());
    Class<?>[] pointTypes = {String.class, Object.class};
    for (Map.Entry<String, Object> value : values.entrySet()) {
      points.add(host.line.make("metric.api.IMetricsConsumer$DataPoint", pointTypes, value.getKey(), value.getValue()));
    }
    for (MetricsConsumer consumer : consumers) consumer.take(info, points);
  }

  void report(Throwable failure) {
    Task any;
    synchronized (this) {
      any = tasks.isEmpty() ? null : tasks.iterator().next();
    }
    if (any != null) any.report(failure);
  }
}
