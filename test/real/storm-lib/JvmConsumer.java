// The metrics consumer of JvmMetrics: notes what it gets, and throws once. By itself, since Storm's Config names no nested classes.
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.apache.storm.metric.api.IMetricsConsumer;
import org.apache.storm.task.IErrorReporter;
import org.apache.storm.task.TopologyContext;

@SuppressWarnings({"rawtypes", "unchecked"})
public final class JvmConsumer implements IMetricsConsumer {
  private Map conf;
  private IErrorReporter reporter;
  private boolean thrown;

  @Override
  public void prepare(Map conf, Object argument, TopologyContext context, IErrorReporter reporter) {
    this.conf = conf;
    this.reporter = reporter;
    JvmTour.note(conf, "consumer", "prepared with " + argument + " by " + context.getStormId().replaceAll("-.*", ""));
  }

  @Override
  public void handleDataPoints(TaskInfo task, Collection<DataPoint> points) {
    for (DataPoint point : points) {
      Object value = point.value instanceof Map ? new TreeMap((Map) point.value) : point.value;
      JvmTour.note(conf, "points", task.srcComponentId + " " + task.srcTaskId + " " + task.updateIntervalSecs + " " + point.name
          + "=" + value);
    }
    boolean told = task.srcWorkerHost.isEmpty() || task.srcWorkerPort == 0 || task.timestamp < 1_700_000_000L;
    if (told) JvmTour.note(conf, "consumer", "no place or time: " + task);
    if (thrown) return;
    thrown = true;
    throw new IllegalStateException("the first points are too much");
  }

  @Override
  public void cleanup() {
    JvmTour.note(conf, "consumer", "cleaned up");
  }
}
