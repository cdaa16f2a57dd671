package gearpump.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The topology as user code sees it through its context: Storm's own generated objects, made from the description that the
 * executor sends. Serialised components in it are empty, since nobody runs them from there.
 */
final class Topology {
  /** Threads of {@code getSharedExecutor}, Storm's own number. */
  private static final int SHARED_THREADS = 4;

  private final StormLine line;
  final StormLine.ContextParts parts = new StormLine.ContextParts();

  @SuppressWarnings("unchecked")
  Topology(StormLine line, Map<String, Object> setup) throws ReflectiveOperationException {
    this.line = line;
    List<Map<String, Object>> components = (List<Map<String, Object>>) setup.get("components");
    parts.fields = new HashMap<>();
    parts.topology = topology(components);
    parts.taskToComponent = new HashMap<>();
    parts.componentToTasks = new TreeMap<>();
    for (List<Object> pair : (List<List<Object>>) setup.get("tasks")) {
      Integer task = number(pair.get(0));
      String component = (String) pair.get(1);
      parts.taskToComponent.put(task, component);
      parts.componentToTasks.computeIfAbsent(component, id -> new ArrayList<>()).add(task);
    }
    parts.stormId = (String) setup.get("stormId");
    parts.codeDir = (String) setup.get("codeDir");
    parts.pidDir = (String) setup.get("pidDir");
    parts.workerPort = number(setup.get("workerPort"));
    parts.workerTasks = new ArrayList<>(parts.taskToComponent.keySet());
    parts.defaultResources = new HashMap<>();
    parts.defaultResources.put("executor", sharedExecutor());
    parts.userResources = new HashMap<>();
  }

  static Integer number(Object value) {
    return value == null ? null : Integer.valueOf(((Number) value).intValue());
  }

  static List<Integer> numbers(List<?> values) {
    List<Integer> numbers = new ArrayList<>(values.size());
    for (Object value : values) numbers.add(number(value));
    return numbers;
  }

  private static ExecutorService sharedExecutor() {
    return Executors.newFixedThreadPool(SHARED_THREADS, work -> {
      Thread thread = new Thread(work, "shared-executor");
      thread.setDaemon(true);
      return thread;
    });
  }

  private Object topology(List<Map<String, Object>> components) throws ReflectiveOperationException {
    Map<String, Object> spouts = new HashMap<>();
    Map<String, Object> bolts = new HashMap<>();
    Class<?> object = line.type("generated.ComponentObject");
    Class<?> common = line.type("generated.ComponentCommon");
    for (Map<String, Object> component : components) {
      boolean spout = "spout".equals(component.get("kind"));
      Object made =
          line.make(
              spout ? "generated.SpoutSpec" : "generated.Bolt",
              new Class<?>[] {object, common},
              emptyObject(),
              common(component));
      (spout ? spouts : bolts).put((String) component.get("id"), made);
    }
    bolts.put("__system", systemBolt(object, common));
    Class<?>[] types = {Map.class, Map.class, Map.class};
    return line.make("generated.StormTopology", types, spouts, bolts, new HashMap<>());
  }

  private Object emptyObject() throws ReflectiveOperationException {
    Class<?> shell = line.type("generated.ShellComponent");
    Object none = line.make("generated.ShellComponent", new Class<?>[] {String.class, String.class}, "", "");
    return line.type("generated.ComponentObject").getMethod("shell", shell).invoke(null, none);
  }

  // Ticks come from it.
  private Object systemBolt(Class<?> object, Class<?> common) throws ReflectiveOperationException {
    Map<String, Object> system = new HashMap<>();
    system.put("id", "__system");
    List<Object> streams = new ArrayList<>();
    streams.add(stream("__tick", "rate_secs"));
    streams.add(stream("__metrics_tick", "interval"));
    streams.add(stream("__credentials", "creds"));
    system.put("streams", streams);
    system.put("inputs", new ArrayList<>());
    return line.make("generated.Bolt", new Class<?>[] {object, common}, emptyObject(), common(system));
  }

  private static List<Object> stream(String name, String field) {
    List<Object> fields = new ArrayList<>();
    fields.add(field);
    List<Object> stream = new ArrayList<>();
    stream.add(name);
    stream.add(fields);
    stream.add(Boolean.FALSE);
    return stream;
  }

  @SuppressWarnings("unchecked")
  private Object common(Map<String, Object> component) throws ReflectiveOperationException {
    Map<Object, Object> inputs = new HashMap<>();
    for (List<Object> input : (List<List<Object>>) component.get("inputs")) {
      Class<?>[] types = {String.class, String.class};
      Object id = line.make("generated.GlobalStreamId", types, input.get(0), input.get(1));
      inputs.put(id, grouping((String) input.get(2), (List<String>) input.get(3)));
    }
    Map<String, Object> streams = new HashMap<>();
    Map<String, Object> fields = new HashMap<>();
    for (List<Object> stream : (List<List<Object>>) component.get("streams")) {
      List<String> names = (List<String>) stream.get(1);
      Class<?>[] types = {List.class, boolean.class};
      streams.put((String) stream.get(0), line.make("generated.StreamInfo", types, names, stream.get(2)));
      fields.put((String) stream.get(0), line.fields(names));
    }
    parts.fields.put((String) component.get("id"), fields);
    Object common = line.make("generated.ComponentCommon", new Class<?>[] {Map.class, Map.class}, inputs, streams);
    Integer parallelism = number(component.get("parallelism"));
    if (parallelism != null) {
      common.getClass().getMethod("set_parallelism_hint", int.class).invoke(common, parallelism);
    }
    String conf = (String) component.get("conf");
    common.getClass().getMethod("set_json_conf", String.class).invoke(common, conf == null ? "{}" : conf);
    return common;
  }

  private Object grouping(String kind, List<String> fields) throws ReflectiveOperationException {
    Class<?> grouping = line.type("generated.Grouping");
    if (kind.equals("fields")) return grouping.getMethod("fields", List.class).invoke(null, fields);
    if (kind.equals("custom_serialized")) {
      Object made = grouping.getConstructor().newInstance();
      grouping.getMethod("set_custom_serialized", byte[].class).invoke(made, (Object) new byte[0]);
      return made;
    }
    Class<?> none = line.type("generated.NullStruct");
    return grouping.getMethod(kind, none).invoke(null, none.getConstructor().newInstance());
  }
}
