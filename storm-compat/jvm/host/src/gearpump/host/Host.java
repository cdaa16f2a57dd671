package gearpump.host;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The Java side of an executor: holds its Java tasks, each on a thread of its own, and speaks to the executor over one socket that
 * it inherits as file descriptor 3. This class reads the socket and passes on what it says. When the socket closes, the executor
 * is gone and the process ends at once: nothing is left behind.
 */
public final class Host {
  private static final int SOCKET = 3;
  private static final int READ_BYTES = 64 * 1024;
  /** What a task has written stays no longer than this in its buffer while its user's code works. */
  private static final long FLUSH_NANOS = 5_000_000;

  private final OutputStream socket;
  /** By channel: each opening of a task has its own. */
  private final Map<Integer, Task> tasks = new ConcurrentHashMap<>();
  private final Thread flusher = new Thread(this::flush, "flusher");
  private volatile boolean flusherIdle;
  final MetricsConsumers consumers = new MetricsConsumers(this);
  StormLine line;
  ClassLoader loader;
  Topology topology;

  private Host(OutputStream socket) {
    this.socket = socket;
  }

  public static void main(String[] args) throws Exception {
    FileDescriptor descriptor = descriptor(SOCKET);
    Host host = new Host(new FileOutputStream(descriptor));
    PrintStream console = System.out;
    System.setOut(LogStream.over(host, console, "info"));
    System.setErr(LogStream.over(host, System.err, "error"));
    int code = 0;
    try (DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(new FileInputStream(descriptor), READ_BYTES))) {
      host.read(in);
    } catch (EOFException closed) {
      code = 0;
    } catch (Throwable failure) {
      console.println("the host ends: " + Failure.text(failure));
      code = 1;
    }
    // User threads may still run; nobody hears them any more.
    Runtime.getRuntime().halt(code);
  }

  // There is no public way to a descriptor by its number before Java 16; the JVM is started with java.io open.
  private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
    Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
    constructor.setAccessible(true);
    return constructor.newInstance(number);
  }

  private void read(DataInputStream in) throws Exception {
    flusher.setDaemon(true);
    flusher.start();
    for (;;) {
      int length = in.readInt();
      if (length < 1 || length > Wire.FRAME_MAX) throw new IOException("a frame of " + length + " bytes");
      byte[] frame = new byte[length];
      in.readFully(frame);
      handle(frame);
    }
  }

  private void handle(byte[] frame) throws Exception {
    In in = new In(frame, 0, null);
    int kind = in.u8();
    switch (kind) {
      case Wire.SETUP:
        setUp(in.map());
        return;
      case Wire.OPEN:
        open(in.i32(), in.map());
        return;
      case Wire.BATCH:
        Task task = tasks.get(in.i32());
        // A task that has closed hears no more.
        if (task != null) task.take(frame);
        return;
      case Wire.CREDIT:
        Task credited = tasks.get(in.i32());
        if (credited != null) credited.credit(in.i32(), in.i32());
        return;
      case Wire.TASKS:
        Task asker = tasks.get(in.i32());
        if (asker != null) asker.answer(in.i32(), Topology.numbers(in.values()));
        return;
      case Wire.PING:
        // User code cannot hold this thread up.
        send(Wire.PONG, out -> {});
        return;
      default:
        throw new IOException("a frame of the unknown kind " + kind);
    }
  }

  private void setUp(Map<String, Object> setup) throws Exception {
    try {
      List<URL> jars = new ArrayList<>();
      for (Object jar : (List<?>) setup.get("jars")) jars.add(new File((String) jar).toURI().toURL());
      StormLoader storm = new StormLoader();
      loader = jars.isEmpty() ? storm : new JarLoader(jars.toArray(new URL[0]), storm);
      Thread.currentThread().setContextClassLoader(loader);
      line = new StormLine((String) setup.get("root"), storm);
      topology = new Topology(line, setup);
      send(Wire.READY, out -> out.value(null));
    } catch (Throwable failure) {
      send(Wire.READY, out -> out.value(Failure.text(failure)));
    }
  }

  private void open(int channel, Map<String, Object> given) {
    boolean spout = "spout".equals(given.get("kind"));
    Task task = spout ? new SpoutTask(this, channel, given) : new BoltTask(this, channel, given);
    // The executor has given up one that did not close in time.
    for (Task before : tasks.values()) if (before.id == task.id) before.abandon();
    tasks.put(channel, task);
    task.start();
  }

  void closed(Task task) {
    tasks.remove(task.channel);
  }

  // ---- writing

  interface Content {
    void write(Out out);
  }

  /** A frame of its own. */
  void send(int kind, Content content) {
    Out out = new Out(null);
    out.i32(0);
    out.u8(kind);
    content.write(out);
    write(out);
  }

  /** Writes a whole frame, whose length is put in here. */
  void write(Out out) {
    out.i32At(0, out.size() - 4);
    synchronized (socket) {
      try {
        socket.write(out.array(), 0, out.size());
      } catch (IOException gone) {
        // The executor has gone; the reading thread sees it too, this one must not go on meanwhile.
        Runtime.getRuntime().halt(0);
      }
    }
  }

  /** A task begins to work: what it writes leaves soon, even if its user's code takes long. */
  void working() {
    if (flusherIdle) LockSupport.unpark(flusher);
  }

  private void flush() {
    for (;;) {
      boolean working = false;
      for (Task task : tasks.values()) working |= task.flushLate();
      if (working) LockSupport.parkNanos(FLUSH_NANOS);
      else {
        flusherIdle = true;
        boolean none = true;
        for (Task task : tasks.values()) none &= !task.isWorking();
        if (none) LockSupport.park();
        flusherIdle = false;
      }
    }
  }
}
