package gearpump.host;

import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.io.ByteArrayOutputStream;

/**
 * What user code prints, line by line to the log of the component on whose thread it was printed (or on a thread that this one
 * started); all else goes where it would have gone.
 */
final class LogStream extends OutputStream {
  /** A longer line is cut into several. */
  private static final int LINE_MAX = 8 * 1024;

  static final InheritableThreadLocal<Task> CURRENT = new InheritableThreadLocal<>();

  private final Host host;
  private final PrintStream console;
  private final String level;
  private final ThreadLocal<ByteArrayOutputStream> line = ThreadLocal.withInitial(ByteArrayOutputStream::new);

  private LogStream(Host host, PrintStream console, String level) {
    this.host = host;
    this.console = console;
    this.level = level;
  }

  static PrintStream over(Host host, PrintStream console, String level) throws UnsupportedEncodingException {
    return new PrintStream(new LogStream(host, console, level), true, "UTF-8");
  }

  @Override
  public void write(int b) {
    Task task = CURRENT.get();
    if (task == null) {
      console.write(b);
      return;
    }
    ByteArrayOutputStream text = line.get();
    if (b != '\n') text.write(b);
    if (b == '\n' || text.size() >= LINE_MAX) send(task, text);
  }

  @Override
  public void write(byte[] bytes, int from, int length) {
    if (CURRENT.get() == null) console.write(bytes, from, length);
    else for (int i = from; i < from + length; i++) write(bytes[i]);
  }

  @Override
  public void flush() {
    if (CURRENT.get() == null) console.flush();
  }

  private void send(Task task, ByteArrayOutputStream text) {
    String line;
    try {
      line = text.toString("UTF-8").replaceAll("\\s+$", "");
    } catch (UnsupportedEncodingException never) {
      throw new AssertionError(never);
    }
    text.reset();
    if (line.isEmpty()) return;
    host.send(Wire.LOG, out -> {
      out.i32(task.channel);
      out.value(level);
      out.value(line);
    });
  }
}
