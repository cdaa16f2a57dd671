package gearpump.host;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;

/** Exceptions as text for people: Java's own stack trace, bounded, without the frames by which we called. */
final class Failure {
  private static final int TEXT_MAX = 16 * 1024;

  private Failure() {}

  static String text(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof InvocationTargetException && cause.getCause() != null) cause = cause.getCause();
    StringWriter text = new StringWriter();
    cause.printStackTrace(new PrintWriter(text, true));
    String all = text.toString().trim();
    return all.length() > TEXT_MAX ? all.substring(0, TEXT_MAX) + "…" : all;
  }
}
