package gearpump.host;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One Java task: a thread that takes frames of records from its queue and calls the user's component, and a buffer of records for
 * the executor. Whatever the component throws ends this task and no other; the executor decides what follows. The component is
 * only ever called on this thread, as Storm promises; emits may come from any.
 */
abstract class Task implements Runnable, InvocationHandler {
  /** A batch leaves at this size, or after this time, whichever is first. */
  private static final int BATCH_BYTES = 32 * 1024;
  private static final long BATCH_NANOS = 1_000_000;
  /** Emits that the executor has not yet found room for. Beyond this an emit waits, as it does in Storm 2. */
  private static final int EMITS_MAX = 8192;
  /** And so many bytes of them. */
  private static final int EMITS_BYTES_MAX = 8 * 1024 * 1024;
  /** Length, kind and channel: what a frame has before its records. */
  private static final int HEADER_BYTES = 9;

  final Host host;
  /** Of this opening, for what is said to the executor and by it. */
  final int channel;
  final int id;
  final String component;
  final Map<String, Object> conf;
  final Objects objects;
  protected final Thread thread;
  private final Map<String, Object> given;
  final List<String> streamNames = new ArrayList<>();
  private final Map<String, Integer> streams = new HashMap<>();
  /** By the number of the stream: whether anybody listens, or looks at every emit (topology.debug). */
  private final boolean[] heard;
  private final Out out;
  private final ArrayDeque<byte[]> queue = new ArrayDeque<>();
  private final Object room = new Object();
  private int emitsOpen;
  private int emitBytesOpen;
  private int lastEmit;
  /** Answers that somebody waits for, by emit; null until they are there. */
  private final Map<Integer, List<Integer>> asked = new HashMap<>();
  private long flushedNanos = System.nanoTime();
  private volatile boolean working;
  private volatile boolean over;
  /** Nothing is said any more; under the lock of {@code out}. */
  private boolean silent;
  Object context;
  Hooks hooks;
  private Metrics metrics;
  /** By the number of the stream; null where a stream has none. */
  private Groupings[] groupings;
  private Object made;

  @SuppressWarnings("unchecked")
  Task(Host host, int channel, Map<String, Object> given) {
    this.host = host;
    this.channel = channel;
    this.given = given;
    id = Topology.number(given.get("task"));
    component = (String) given.get("component");
    conf = (Map<String, Object>) given.get("conf");
    for (Object stream : (List<Object>) given.get("streams")) streamNames.add((String) stream);
    for (String stream : streamNames) streams.put(stream, streams.size());
    heard = new boolean[streamNames.size()];
    for (Object stream : (List<Object>) given.get("heard")) heard[streams.get(stream)] = true;
    objects = new Objects(host.line, host.loader, conf);
    out = new Out(objects);
    beginFrame();
    thread = new Thread(null, this, component + "-" + id);
    thread.setDaemon(true);
    thread.setContextClassLoader(host.loader);
  }

  void start() {
    thread.start();
  }

  // ---- from the executor, on the reading thread

  void take(byte[] frame) {
    synchronized (queue) {
      queue.add(frame);
      queue.notify();
    }
  }

  void credit(int emits, int bytes) {
    synchronized (room) {
      emitsOpen -= emits;
      emitBytesOpen -= bytes;
      room.notifyAll();
    }
  }

  void answer(int emit, List<Integer> tasks) {
    synchronized (room) {
      // Who was interrupted waits no more.
      if (asked.replace(emit, tasks) == null) room.notifyAll();
    }
  }

  /** Its successor is there: it must not be heard any more, and ends as soon as its user's code lets it. */
  void abandon() {
    end();
    thread.interrupt();
  }

  private void end() {
    over = true;
    synchronized (out) {
      silent = true;
      beginFrame();
    }
    synchronized (room) {
      room.notifyAll();
    }
  }

  // ---- the task's own thread

  @Override
  public void run() {
    LogStream.CURRENT.set(this);
    try {
      Object object = Components.make(host, given);
      Map<Object, Object> registered = new HashMap<>();
      StormLine.Started started = new StormLine.Started();
      context = host.line.context(host.topology.parts, conf, id, registered, started);
      groupings = Groupings.of(this, given);
      host.consumers.join(this);
      hooks = new Hooks(this);
      working = true;
      host.working();
      made = object;
      // Before anything else, and though there may be none: as in Storm.
      host.line.setCredentials(made, given.get("credentials"));
      begin(object);
      started.set();
      metrics = new Metrics(this, registered);
      record(Wire.OPENED);
      flush();
      while (!over) {
        byte[] frame = next();
        if (frame != null) work(frame);
        metrics.tell(System.nanoTime());
      }
    } catch (Throwable failure) {
      threw(failure);
    }
    flush();
    end();
    host.consumers.leave(this);
    host.closed(this);
  }

  /** null when metrics are due and nothing has come. */
  private byte[] next() throws InterruptedException {
    synchronized (queue) {
      byte[] frame = queue.poll();
      if (frame != null) return frame;
    }
    rest();
    flush();
    working = false;
    byte[] frame;
    synchronized (queue) {
      while (queue.isEmpty() && !metrics.due()) queue.wait(metrics.waitMs());
      frame = queue.poll();
    }
    working = true;
    host.working();
    return frame;
  }

  boolean hasWork() {
    synchronized (queue) {
      return !queue.isEmpty();
    }
  }

  private void work(byte[] frame) throws Throwable {
    In in = new In(frame, 5, objects);
    while (in.more() && !over) {
      int record = in.u8();
      if (record == Wire.CREDENTIALS) host.line.setCredentials(made, in.value());
      else handle(record, in);
      flushDue();
    }
  }

  /** Prepares or opens the component. */
  abstract void begin(Object object) throws Throwable;

  abstract void handle(int record, In in) throws Throwable;

  /** Everything that came has been worked on. */
  void rest() {}

  void close() throws ReflectiveOperationException {
    hooks.cleanUp();
    host.consumers.leave(this);
    over = true;
    record(Wire.CLOSED);
  }

  private void threw(Throwable failure) {
    host.consumers.leave(this);
    String text = Failure.text(failure);
    synchronized (out) {
      out.u8(Wire.THREW);
      out.value(text);
    }
  }

  // ---- to the executor, on any thread

  /** Begins an empty frame. */
  private void beginFrame() {
    out.reset(0);
    out.i32(0);
    out.u8(Wire.BATCH);
    out.i32(channel);
  }

  void flush() {
    synchronized (out) {
      if (out.size() > HEADER_BYTES) {
        if (!silent) host.write(out);
        beginFrame();
      }
      flushedNanos = System.nanoTime();
    }
  }

  void flushDue() {
    if (out.size() >= BATCH_BYTES || System.nanoTime() - flushedNanos > BATCH_NANOS) {
      rest();
      flush();
    }
  }

  /** For what is written while the user's code takes long. True while this task works. */
  boolean flushLate() {
    if (out.size() > HEADER_BYTES) flush();
    return working;
  }

  boolean isWorking() {
    return working;
  }

  void record(int kind) {
    synchronized (out) {
      out.u8(kind);
    }
  }

  void record(int kind, int number) {
    synchronized (out) {
      out.u8(kind);
      out.i32(number);
    }
    flushFromElsewhere();
  }

  /** So many tuples were executed, whose records had so many bytes. */
  void executed(int count, int bytes) {
    synchronized (out) {
      out.u8(Wire.EXECUTED);
      out.i32(count);
      out.i32(bytes);
    }
  }

  /** Threads of the user's own have no end of a turn. */
  private void flushFromElsewhere() {
    if (Thread.currentThread() != thread) flush();
  }

  void report(Throwable failure) {
    String text = Failure.text(failure);
    synchronized (out) {
      out.u8(Wire.REPORT);
      out.value(text);
    }
    flush();
  }

  void metric(String name, Object value) {
    synchronized (out) {
      int start = out.size();
      try {
        out.u8(Wire.METRIC);
        out.value(name);
        out.value(value);
      } catch (RuntimeException unwritable) {
        out.reset(start);
        out.u8(Wire.METRIC);
        out.value(name);
        out.value(String.valueOf(value));
      }
    }
  }

  interface Anchors {
    void write(Out out);
  }

  /** An emit; {@code direct} 0 = to whomever the groupings choose. */
  List<Integer> emit(String stream, List<?> values, int direct, int flags, Anchors anchors) throws InterruptedException {
    Integer number = streams.get(stream);
    if (number == null) {
      throw new IllegalArgumentException(component + " emits on stream \"" + stream + "\", which it does not declare");
    }
    if (values == null) throw new NullPointerException(component + " emits no values at all: null");
    // Of an emit without an id that nobody gets nothing is left but its answer.
    if (!heard[number] && (flags & Wire.WITH_ID) == 0) return Collections.emptyList();
    Groupings own = direct == 0 ? groupings[number] : null;
    int[][] chosen = own == null ? null : own.choose(values);
    int all = (direct == 0 ? flags : flags | Wire.DIRECT) | (chosen == null ? 0 : Wire.CHOSEN);
    int emit;
    int bytes;
    waitForRoom();
    synchronized (out) {
      int start = out.size();
      try {
        out.u8(Wire.EMIT);
        out.u8(all);
        out.count(number);
        if (direct != 0) out.i32(direct);
        anchors.write(out);
        if (chosen != null) Groupings.write(chosen, out);
        out.values(values);
      } catch (RuntimeException unwritable) {
        out.reset(start);
        credit(1, 0);
        throw unwritable;
      }
      emit = ++lastEmit;
      bytes = out.size() - start;
    }
    synchronized (room) {
      emitBytesOpen += bytes;
    }
    if (Thread.currentThread() != thread) flush();
    else if (out.size() >= BATCH_BYTES) flush();
    return direct == 0 ? new EmitAnswer(this, emit) : Collections.<Integer>emptyList();
  }

  private void waitForRoom() throws InterruptedException {
    synchronized (room) {
      emitsOpen++;
      if (hasRoom()) return;
    }
    flush();
    synchronized (room) {
      while (!hasRoom() && !over) room.wait();
    }
    if (over) throw new IllegalStateException(component + " has ended: nobody hears what it emits");
  }

  private boolean hasRoom() {
    return emitsOpen <= EMITS_MAX && emitBytesOpen < EMITS_BYTES_MAX;
  }

  /** Asks the executor where an emit went. */
  List<Integer> tasksOf(int emit) {
    synchronized (room) {
      asked.putIfAbsent(emit, null);
    }
    synchronized (out) {
      out.u8(Wire.WANT_TASKS);
      out.i32(emit);
    }
    flush();
    synchronized (room) {
      try {
        while (asked.containsKey(emit) && asked.get(emit) == null && !over) room.wait();
        List<Integer> tasks = asked.get(emit);
        return tasks == null ? Collections.emptyList() : tasks;
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        return Collections.emptyList();
      } finally {
        asked.remove(emit);
      }
    }
  }

  // ---- the collector

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    switch (method.getName()) {
      case "reportError":
        report((Throwable) arguments[0]);
        return null;
      case "flush":
        flush();
        return null;
      case "toString":
        return "collector of " + component;
      case "hashCode":
        return System.identityHashCode(this);
      case "equals":
        return proxy == arguments[0];
      default:
        return collect(method.getName(), arguments);
    }
  }

  abstract Object collect(String method, Object[] arguments) throws Throwable;

  static int size(Collection<?> of) {
    return of == null ? 0 : of.size();
  }
}
