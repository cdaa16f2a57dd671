package gearpump.host;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.util.regex.Pattern;

/** Exceptions as text for people: Java's own stack trace, bounded, without the frames by which we called. */
final class Failure {
  private static final Pattern OURS =
      Pattern.compile("\\tat (?:gearpump\\.host|java\\.base/jdk\\.internal\\.reflect|java\\.base/java\\.lang\\.reflect|sun\\.reflect)\\.[^\\n]*\\n");
  private static final int TEXT_MAX = 16 * 1024;

  private Failure() {}

  static String text(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof InvocationTargetException && cause.getCause() != null) cause = cause.getCause();
    StringWriter text = new StringWriter();
    cause.printStackTrace(new PrintWriter(text, true));
    String all = OURS.matcher(text.toString()).replaceAll("").trim();
    return all.length() > TEXT_MAX ? all.substring(0, TEXT_MAX) + "…" : all;
  }
}
