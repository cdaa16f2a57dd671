// JvmWindows with windows that are kept at checkpoints, too, and states that outlive a component: of Storm 2. Submitted by JvmTour under
// its class name.
import java.util.Map;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.state.InMemoryKeyValueStateProvider;
import org.apache.storm.state.State;
import org.apache.storm.state.StateProvider;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.base.BaseWindowedBolt.Count;

public final class JvmPersistent {
  /** So few tuples of a window stay in memory. */
  private static final long IN_MEMORY = 4;

  public static StormTopology topology() {
    return JvmWindows.topology(
        new JvmWindows.Sum().withTumblingWindow(new Count(JvmWindows.WINDOW)).withPersistence().withMaxEventsInMemory(IN_MEMORY));
  }

  /** Storm's own in memory, but one for the process: Storm makes another one for each component that begins. */
  public static class Kept implements StateProvider {
    private static final InMemoryKeyValueStateProvider KEPT = new InMemoryKeyValueStateProvider();

    @Override
    public State newState(String namespace, Map<String, Object> conf, TopologyContext context) {
      return KEPT.newState(namespace, conf, context);
    }
  }
}
