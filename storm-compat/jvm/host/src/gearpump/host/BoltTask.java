package gearpump.host;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** A bolt: gets tuples under the numbers by which the executor holds them, and answers by those numbers. */
final class BoltTask extends Task {
  private static final Origin TICK = new Origin("__system", "__tick");

  private final Origin[] origins;
  private Object bolt;
  private int executed;
  /** Of the records that were executed. */
  private int executedBytes;

  @SuppressWarnings("unchecked")
  BoltTask(Host host, int channel, Map<String, Object> given) {
    super(host, channel, given);
    List<Origin> list = new ArrayList<>();
    for (List<Object> origin : (List<List<Object>>) given.get("origins")) {
      list.add(new Origin((String) origin.get(0), (String) origin.get(1)));
    }
    origins = list.toArray(new Origin[0]);
  }

  @Override
  void begin(Object object) throws Throwable {
    bolt = object;
    host.line.prepare(bolt, conf, context, this);
  }

  @Override
  void handle(int record, In in) throws Throwable {
    // The record's kind was read before.
    int start = in.at() - 1;
    switch (record) {
      case Wire.EXECUTE:
        Origin origin = origins[in.count()];
        int hold = in.i32();
        int source = in.i32();
        execute(host.line.tuple(context, in.values(), origin, source, hold));
        executed(in.at() - start);
        return;
      case Wire.TICK:
        List<Object> values = new ArrayList<>(Collections.singletonList(in.value()));
        execute(host.line.tuple(context, values, TICK, StormLine.SYSTEM_TASK, 0));
        executed(in.at() - start);
        return;
      case Wire.CLOSE:
        host.line.call("task.IBolt", bolt, "cleanup");
        close();
        return;
      default:
        throw new IllegalStateException("a bolt was sent the unknown record " + record);
    }
  }

  private void executed(int bytes) {
    executed++;
    executedBytes += bytes;
  }

  private void execute(Object tuple) throws Throwable {
    if (!hooks.any()) {
      host.line.execute(bolt, tuple);
      return;
    }
    long startNanos = System.nanoTime();
    host.line.execute(bolt, tuple);
    hooks.executed(tuple, startNanos);
  }

  @Override
  void rest() {
    if (executed == 0) return;
    executed(executed, executedBytes);
    executed = 0;
    executedBytes = 0;
  }

  @Override
  @SuppressWarnings("unchecked")
  Object collect(String method, Object[] arguments) throws Throwable {
    switch (method) {
      case "emit":
        return emit((String) arguments[0], (Collection<Object>) arguments[1], (List<Object>) arguments[2], 0);
      case "emitDirect":
        emit((String) arguments[1], (Collection<Object>) arguments[2], (List<Object>) arguments[3], (Integer) arguments[0]);
        return null;
      case "ack":
        answer(Wire.ACK, arguments[0]);
        if (hooks.any()) hooks.acked(arguments[0]);
        return null;
      case "fail":
        answer(Wire.FAIL, arguments[0]);
        if (hooks.any()) hooks.failed(arguments[0]);
        return null;
      case "resetTimeout":
        answer(Wire.RENEW, arguments[0]);
        return null;
      default:
        throw new UnsupportedOperationException("OutputCollector." + method + " is not known here");
    }
  }

  private void answer(int kind, Object tuple) throws Throwable {
    int hold = host.line.holdOf(tuple);
    if (hold != 0) record(kind, hold);
  }

  private List<Integer> emit(String stream, Collection<Object> anchors, List<Object> values, int direct) throws Throwable {
    List<Integer> tasks;
    int count = size(anchors);
    if (count == 0) tasks = emit(stream, values, direct, 0, out -> {});
    else if (count == 1) {
      int hold = host.line.holdOf(anchors.iterator().next());
      tasks = hold == 0
          ? emit(stream, values, direct, 0, out -> {})
          : emit(stream, values, direct, Wire.ONE_ANCHOR, out -> out.i32(hold));
    } else {
      int[] holds = holdsOf(anchors);
      tasks = emit(stream, values, direct, Wire.MANY_ANCHORS, out -> {
        out.count(holds.length);
        for (int hold : holds) out.i32(hold);
      });
    }
    if (hooks.any()) hooks.emitted(stream, values, direct == 0 ? tasks : Collections.singletonList(direct));
    return tasks;
  }

  private int[] holdsOf(Collection<Object> anchors) throws Throwable {
    int[] holds = new int[anchors.size()];
    int n = 0;
    for (Object anchor : anchors) {
      int hold = host.line.holdOf(anchor);
      if (hold != 0) holds[n++] = hold;
    }
    return Arrays.copyOf(holds, n);
  }
}
