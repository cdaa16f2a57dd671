package gearpump.host;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Storm's classes of whichever line is on the class path, found by name. What differs between lines is the package, the
 * constructors of TupleImpl and TopologyContext, and a few methods more: all of it is decided here, once, by what is there. So one
 * host serves every line, and is compiled without any of them.
 */
final class StormLine {
  /** {@code org.apache.storm}, or {@code backtype.storm} until 0.10. */
  final String root;
  private final ClassLoader loader;
  static final int SYSTEM_TASK = -1;

  private final MethodHandle tuple;
  /** Since 2.0 the name of the source is given beside its task. */
  private final boolean tupleNamesSource;
  private final MethodHandle makeId;
  private final MethodHandle unanchored;
  private final MethodHandle messageIdOf;
  private final MethodHandle anchorsOf;
  private final MethodHandle execute;
  private final MethodHandle nextTuple;

  StormLine(String root, ClassLoader loader) throws ReflectiveOperationException {
    this.root = root;
    this.loader = loader;
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    Class<?> context = type("task.GeneralTopologyContext");
    Class<?> messageId = type("tuple.MessageId");
    Class<?> tupleType = type("tuple.Tuple");
    Constructor<?> constructor = tupleConstructor(type("tuple.TupleImpl"), context, messageId);
    tupleNamesSource = constructor.getParameterCount() == 6;
    tuple = lookup.unreflectConstructor(constructor).asType(MethodType.genericMethodType(tupleNamesSource ? 6 : 5));
    makeId = lookup.findStatic(messageId, "makeId", MethodType.methodType(messageId, Map.class))
        .asType(MethodType.genericMethodType(1));
    unanchored = lookup.findStatic(messageId, "makeUnanchored", MethodType.methodType(messageId))
        .asType(MethodType.genericMethodType(0));
    messageIdOf = lookup.findVirtual(tupleType, "getMessageId", MethodType.methodType(messageId))
        .asType(MethodType.genericMethodType(1));
    anchorsOf = lookup.findVirtual(messageId, "getAnchorsToIds", MethodType.methodType(Map.class))
        .asType(MethodType.genericMethodType(1));
    execute = lookup.findVirtual(type("task.IBolt"), "execute", MethodType.methodType(void.class, tupleType))
        .asType(MethodType.methodType(void.class, Object.class, Object.class));
    nextTuple = lookup.findVirtual(type("spout.ISpout"), "nextTuple", MethodType.methodType(void.class))
        .asType(MethodType.methodType(void.class, Object.class));
  }

  private static Constructor<?> tupleConstructor(Class<?> tuple, Class<?> context, Class<?> id)
      throws NoSuchMethodException {
    try {
      return tuple.getConstructor(context, List.class, String.class, int.class, String.class, id);
    } catch (NoSuchMethodException older) {
      return tuple.getConstructor(context, List.class, int.class, String.class, id);
    }
  }

  /** A class of Storm by its name below the root. */
  Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(root + "." + name, true, loader);
  }

  Object make(String name, Class<?>[] types, Object... arguments) throws ReflectiveOperationException {
    return type(name).getConstructor(types).newInstance(arguments);
  }

  Object fields(List<String> names) throws ReflectiveOperationException {
    return make("tuple.Fields", new Class<?>[] {List.class}, new ArrayList<>(names));
  }

  // ---- tuples

  Object tuple(Object context, List<Object> values, Origin origin, int task, int hold) throws Throwable {
    Object id = hold == 0 ? (Object) unanchored.invokeExact() : makeId.invokeExact((Object) new Anchor(hold));
    return tupleNamesSource
        ? (Object) tuple.invokeExact(context, (Object) values, (Object) origin.component, (Object) task,
            (Object) origin.stream, id)
        : (Object) tuple.invokeExact(context, (Object) values, (Object) task, (Object) origin.stream, id);
  }

  /** The number under which the executor holds a tuple; 0 for one that nobody waits for. */
  int holdOf(Object tuple) throws Throwable {
    Object id = messageIdOf.invokeExact(tuple);
    Object anchors = anchorsOf.invokeExact(id);
    return anchors instanceof Anchor ? ((Anchor) anchors).hold : 0;
  }

  void execute(Object bolt, Object tuple) throws Throwable {
    execute.invokeExact(bolt, tuple);
  }

  void nextTuple(Object spout) throws Throwable {
    nextTuple.invokeExact(spout);
  }

  // ---- components

  boolean isBolt(Object component) throws ClassNotFoundException {
    return type("task.IBolt").isInstance(component);
  }

  boolean isSpout(Object component) throws ClassNotFoundException {
    return type("spout.ISpout").isInstance(component);
  }

  void prepare(Object bolt, Map<String, Object> conf, Object context, InvocationHandler handler) throws Throwable {
    Object collector = collector("task.IOutputCollector", "task.OutputCollector", handler);
    type("task.IBolt").getMethod("prepare", Map.class, type("task.TopologyContext"), type("task.OutputCollector"))
        .invoke(bolt, conf, context, collector);
  }

  void open(Object spout, Map<String, Object> conf, Object context, InvocationHandler handler) throws Throwable {
    Object collector = collector("spout.ISpoutOutputCollector", "spout.SpoutOutputCollector", handler);
    type("spout.ISpout")
        .getMethod("open", Map.class, type("task.TopologyContext"), type("spout.SpoutOutputCollector"))
        .invoke(spout, conf, context, collector);
  }

  private Object collector(String seam, String name, InvocationHandler handler) throws ReflectiveOperationException {
    Class<?> type = type(seam);
    Object delegate = Proxy.newProxyInstance(loader, new Class<?>[] {type}, handler);
    return make(name, new Class<?>[] {type}, delegate);
  }

  /** Tells a component that listens for them; in 0.9 none can. */
  void setCredentials(Object component, Object credentials) throws Throwable {
    Class<?> listener;
    try {
      listener = type("ICredentialsListener");
    } catch (ClassNotFoundException older) {
      return;
    }
    if (!listener.isInstance(component)) return;
    listener.getMethod("setCredentials", Map.class).invoke(component, credentials);
  }

  /** A method of {@code ISpout} or {@code IBolt} that takes nothing or one object. */
  void call(String seam, Object component, String method, Object... arguments) throws Throwable {
    Class<?>[] types = new Class<?>[arguments.length];
    java.util.Arrays.fill(types, Object.class);
    type(seam).getMethod(method, types).invoke(component, arguments);
  }

  // ---- groupings

  void prepareGrouping(Object grouping, Object context, String component, String stream, List<Integer> targets)
      throws ReflectiveOperationException {
    Class<?> id = type("generated.GlobalStreamId");
    Object from = make("generated.GlobalStreamId", new Class<?>[] {String.class, String.class}, component, stream);
    type("grouping.CustomStreamGrouping")
        .getMethod("prepare", type("task.WorkerTopologyContext"), id, List.class)
        .invoke(grouping, context, from, targets);
  }

  @SuppressWarnings("unchecked")
  List<Integer> chooseTasks(Object grouping, int task, List<?> values) {
    try {
      return (List<Integer>)
          type("grouping.CustomStreamGrouping").getMethod("chooseTasks", int.class, List.class).invoke(grouping, task, values);
    } catch (ReflectiveOperationException failure) {
      Throwable cause = failure.getCause() == null ? failure : failure.getCause();
      throw new IllegalStateException("the grouping " + grouping.getClass().getName() + " chooses no task", cause);
    }
  }

  // ---- context

  /** What all contexts of a topology are made of. */
  static final class ContextParts {
    Object topology;
    Map<Integer, String> taskToComponent;
    Map<String, List<Integer>> componentToTasks;
    Map<String, Map<String, Object>> fields;
    String stormId;
    String codeDir;
    String pidDir;
    Integer workerPort;
    List<Integer> workerTasks;
    Map<String, Object> defaultResources;
    Map<String, Object> userResources;
  }

  /** A TopologyContext; {@code started} is set once open or prepare has returned: metrics are registered before. */
  Object context(ContextParts parts, Map<String, Object> conf, Integer task, Map<Object, Object> metrics, Started started)
      throws ReflectiveOperationException {
    List<Object> arguments = new ArrayList<>();
    arguments.add(parts.topology);
    arguments.add(conf);
    arguments.add(parts.taskToComponent);
    arguments.add(parts.componentToTasks);
    arguments.add(parts.fields);
    for (Constructor<?> constructor : type("task.TopologyContext").getConstructors()) {
      Class<?>[] types = constructor.getParameterTypes();
      // Since 2.0: versions of blobs before the id, and a registry of metrics at the end.
      if (types.length == 18) arguments.add(new HashMap<String, Long>());
      arguments.add(parts.stormId);
      arguments.add(parts.codeDir);
      arguments.add(parts.pidDir);
      arguments.add(task);
      arguments.add(parts.workerPort);
      arguments.add(parts.workerTasks);
      arguments.add(parts.defaultResources);
      arguments.add(parts.userResources);
      arguments.add(new HashMap<String, Object>());
      arguments.add(metrics);
      arguments.add(started.flag(types[arguments.size()]));
      if (types.length == 18) arguments.add(types[17].getConstructor().newInstance());
      return constructor.newInstance(arguments.toArray());
    }
    throw new NoSuchMethodException("TopologyContext has no constructor");
  }

  /** The context of what belongs to no task: of {@code __system}, as Storm calls it. */
  Object systemContext(ContextParts parts, Map<String, Object> conf) throws ReflectiveOperationException {
    return context(parts, conf, SYSTEM_TASK, new HashMap<>(), new Started());
  }

  /** A flag that is an AtomicBoolean since 2.0, and an atom of Clojure before. */
  static final class Started {
    private final AtomicBoolean flag = new AtomicBoolean();
    private Object atom;

    Object flag(Class<?> type) throws ReflectiveOperationException {
      if (type == AtomicBoolean.class) return flag;
      atom = type.getConstructor(Object.class).newInstance(Boolean.FALSE);
      return atom;
    }

    void set() throws ReflectiveOperationException {
      flag.set(true);
      if (atom != null) atom.getClass().getMethod("reset", Object.class).invoke(atom, Boolean.TRUE);
    }
  }

  // ---- kryo

  /** Storm's own serialiser of values. */
  final class Kryo {
    private final Object serializer;
    private final Object deserializer;

    Kryo(Map<String, Object> conf) throws ReflectiveOperationException {
      Class<?>[] types = {Map.class};
      serializer = make("serialization.KryoValuesSerializer", types, conf);
      deserializer = make("serialization.KryoValuesDeserializer", types, conf);
    }

    byte[] write(Object value) throws ReflectiveOperationException {
      return (byte[]) serializer.getClass().getMethod("serializeObject", Object.class).invoke(serializer, value);
    }

    Object read(byte[] bytes) {
      try {
        return deserializer.getClass().getMethod("deserializeObject", byte[].class).invoke(deserializer, bytes);
      } catch (ReflectiveOperationException failure) {
        throw new IllegalStateException("kryo cannot read a value that another task wrote", failure);
      }
    }
  }

  Kryo kryo(Map<String, Object> conf) throws ReflectiveOperationException {
    return new Kryo(conf);
  }
}
