package gearpump.host;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A spout. Its message ids stay here, as any object may be one; the executor knows numbers, and tells of each number exactly once
 * how it ended.
 */
final class SpoutTask extends Task {
  private static final String SPOUT = "spout.ISpout";
  /** A turn of several tuples ends after this, so that acks and fails are told in time. */
  private static final long TURN_NANOS = 2_000_000;

  private final Map<Integer, Object> pending = new ConcurrentHashMap<>();
  private Object spout;
  private int lastId;
  private int emits;

  SpoutTask(Host host, int channel, Map<String, Object> given) {
    super(host, channel, given);
  }

  @Override
  void begin(Object object) throws Throwable {
    spout = object;
    host.line.open(spout, conf, context, this);
  }

  @Override
  void handle(int record, In in) throws Throwable {
    switch (record) {
      case Wire.NEXT:
        next(in.i32());
        return;
      case Wire.DONE:
        ended("ack", in.i32());
        return;
      case Wire.FAILED:
        ended("fail", in.i32());
        return;
      case Wire.ACTIVATE:
        call("activate");
        return;
      case Wire.DEACTIVATE:
        call("deactivate");
        return;
      case Wire.CLOSE:
        host.line.call(SPOUT, spout, "close");
        close();
        return;
      default:
        throw new IllegalStateException("a spout was sent the unknown record " + record);
    }
  }

  private void call(String method) throws Throwable {
    host.line.call(SPOUT, spout, method);
    record(Wire.CALLED);
  }

  // Several tuples a turn, as many as the executor has room for; one that emits nothing ends it.
  private void next(int most) throws Throwable {
    int from = emits;
    long untilNanos = System.nanoTime() + TURN_NANOS;
    int before;
    do {
      before = emits;
      host.line.nextTuple(spout);
      flushDue();
    } while (emits != before && emits - from < most && System.nanoTime() < untilNanos && !hasWork());
    record(Wire.ASKED);
    flush();
  }

  private void ended(String method, int number) throws Throwable {
    Object id = pending.remove(number);
    if (id == null) return;
    host.line.call(SPOUT, spout, method, id);
    if (hooks.any()) hooks.ended(method.equals("ack"), id);
  }

  @Override
  @SuppressWarnings("unchecked")
  Object collect(String method, Object[] arguments) throws Throwable {
    switch (method) {
      case "emit":
        return emit((String) arguments[0], (List<Object>) arguments[1], arguments[2], 0);
      case "emitDirect":
        emit((String) arguments[1], (List<Object>) arguments[2], arguments[3], (Integer) arguments[0]);
        return null;
      case "getPendingCount":
        return (long) pending.size();
      default:
        throw new UnsupportedOperationException("SpoutOutputCollector." + method + " is not known here");
    }
  }

  private List<Integer> emit(String stream, List<Object> values, Object messageId, int direct) throws Throwable {
    List<Integer> tasks;
    if (messageId == null) tasks = emit(stream, values, direct, 0, out -> {});
    else {
      int number = number();
      pending.put(number, messageId);
      try {
        tasks = emit(stream, values, direct, Wire.WITH_ID, out -> out.i32(number));
      } catch (RuntimeException unsent) {
        pending.remove(number);
        throw unsent;
      }
    }
    emits++;
    if (hooks.any()) hooks.emitted(stream, values, direct == 0 ? tasks : Collections.singletonList(direct));
    return tasks;
  }

  /** Positive, and not soon again: what is open is far less. */
  private synchronized int number() {
    lastId = lastId == Integer.MAX_VALUE ? 1 : lastId + 1;
    return lastId;
  }
}
