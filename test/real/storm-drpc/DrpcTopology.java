// Storm's own DRPCSpout and ReturnResults, unmodified and without a cluster: the spout fetches requests of the function `exclaim`
// from a DRPC server and emits them, ReturnResults gives back what it is told. `bad` is failed at the spout, as the engine of Storm
// fails a tuple. Ends after so many requests. Run as a single source file with storm-client on the class path.
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.storm.drpc.DRPCSpout;
import org.apache.storm.drpc.ReturnResults;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.spout.ISpoutOutputCollector;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.IOutputCollector;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.utils.Utils;

public final class DrpcTopology {
  private record Emitted(List<Object> values, Object id) {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> conf = Utils.readDefaultConfig();
    conf.put("drpc.servers", List.of("localhost"));
    conf.put("drpc.invocations.port", Integer.parseInt(args[0]));
    conf.put("storm.cluster.mode", "distributed");
    TopologyContext context = context(conf);
    List<Emitted> emitted = new ArrayList<>();

    DRPCSpout spout = new DRPCSpout("exclaim");
    spout.open(conf, context, spoutCollector(emitted));
    ReturnResults results = new ReturnResults();
    results.prepare(conf, context, boltCollector());
    for (int left = Integer.parseInt(args[1]); left > 0; ) {
      spout.nextTuple();
      if (emitted.isEmpty()) Thread.sleep(2);
      for (Emitted one : emitted) {
        left--;
        if (one.values.get(0).equals("bad")) spout.fail(one.id);
        else results.execute(tuple(one.values.get(0) + "!", one.values.get(1)));
      }
      emitted.clear();
    }
    spout.close();
    results.cleanup();
    System.exit(0);
  }

  private static TopologyContext context(Map<String, Object> conf) {
    StormTopology topology = new StormTopology(new HashMap<>(), new HashMap<>(), new HashMap<>());
    return new TopologyContext(topology, conf, Map.of(1, "spout"), Map.of("spout", List.of(1)), new HashMap<>(),
        new HashMap<>(), "drpc-1-1", ".", ".", 1, 0, List.of(1), new HashMap<>(), new HashMap<>(), new HashMap<>(),
        new HashMap<>(), new AtomicBoolean(false), null);
  }

  private static SpoutOutputCollector spoutCollector(List<Emitted> emitted) {
    return new SpoutOutputCollector(proxy(ISpoutOutputCollector.class, (name, args) -> {
      if (!name.equals("emit")) return null;
      @SuppressWarnings("unchecked")
      List<Object> values = (List<Object>) args[1];
      System.out.println("emitted: " + values);
      emitted.add(new Emitted(values, args[2]));
      return List.of();
    }));
  }

  private static OutputCollector boltCollector() {
    return new OutputCollector(proxy(IOutputCollector.class, (name, args) -> {
      System.out.println("bolt: " + name);
      return null;
    }));
  }

  private static Tuple tuple(Object... values) {
    return proxy(Tuple.class, (name, args) -> name.equals("getValue") ? values[(Integer) args[0]] : null);
  }

  private interface Body {
    Object call(String name, Object[] args);
  }

  private static <T> T proxy(Class<T> type, Body body) {
    Object made = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
        (self, method, args) -> body.call(method.getName(), args));
    return type.cast(made);
  }
}
