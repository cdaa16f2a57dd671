package gearpump.host;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/**
 * Task hooks (ITaskHook), of the settings or added by the component to its context: they are told of emits, executes, acks and
 * fails. Nearly no component has any, so everything here begins with {@link #any}.
 */
final class Hooks {
  private static final long NANOS_PER_MS = 1_000_000;

  private final StormLine line;
  private final int task;
  private final Collection<?> hooks;

  /** With those of the settings: one of each for every task, before its component begins. */
  Hooks(Task of) throws ReflectiveOperationException {
    line = of.host.line;
    task = of.id;
    Class<?> context = of.context.getClass();
    Object named = of.conf.get("topology.auto.task.hooks");
    if (named instanceof Collection) {
      Method add = context.getMethod("addTaskHook", line.type("hooks.ITaskHook"));
      for (Object name : (Collection<?>) named) {
        add.invoke(of.context, of.host.loader.loadClass((String) name).getConstructor().newInstance());
      }
    }
    hooks = (Collection<?>) context.getMethod("getHooks").invoke(of.context);
  }

  void cleanUp() throws ReflectiveOperationException {
    if (any()) for (Object hook : hooks) line.type("hooks.ITaskHook").getMethod("cleanup").invoke(hook);
  }

  boolean any() {
    return !hooks.isEmpty();
  }

  void emitted(String stream, List<?> values, Collection<Integer> tasks) throws ReflectiveOperationException {
    tell("emit", "EmitInfo", values, stream, task, tasks);
  }

  void executed(Object tuple, long startNanos) throws ReflectiveOperationException {
    tell("boltExecute", "BoltExecuteInfo", tuple, task, (System.nanoTime() - startNanos) / NANOS_PER_MS);
  }

  // How long a tuple was held is not known here.
  void acked(Object tuple) throws ReflectiveOperationException {
    tell("boltAck", "BoltAckInfo", tuple, task, null);
  }

  void failed(Object tuple) throws ReflectiveOperationException {
    tell("boltFail", "BoltFailInfo", tuple, task, null);
  }

  void ended(boolean acked, Object messageId) throws ReflectiveOperationException {
    if (acked) tell("spoutAck", "SpoutAckInfo", messageId, task, null);
    else tell("spoutFail", "SpoutFailInfo", messageId, task, null);
  }

  private void tell(String method, String infoName, Object... arguments) throws ReflectiveOperationException {
    Class<?> type = line.type("hooks.info." + infoName);
    Constructor<?> constructor = type.getConstructors()[0];
    Object info = constructor.newInstance(arguments);
    for (Object hook : Collections.unmodifiableCollection(hooks)) {
      line.type("hooks.ITaskHook").getMethod(method, type).invoke(hook, info);
    }
  }
}
