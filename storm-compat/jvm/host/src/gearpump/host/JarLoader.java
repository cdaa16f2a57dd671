package gearpump.host;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/**
 * The class loader of the topology's jar: it looks there first, since jars bring their own Guava and HTTP clients, and then in
 * Storm's jars ({@link StormLoader}). What both sides pass to each other (Storm itself, kryo, metrics, logging) must be one class and
 * is Storm's.
 */
final class JarLoader extends URLClassLoader {
  private static final String[] SHARED = {
    "java.", "javax.", "jdk.", "sun.", "org.w3c.", "org.xml.", "org.apache.storm.", "backtype.storm.", "clojure.",
    "com.esotericsoftware.", "com.codahale.metrics.", "org.slf4j.", "org.apache.logging.", "org.apache.log4j.",
    "ch.qos.logback.", "gearpump.host.",
  };

  private final StormLoader storm;

  static {
    registerAsParallelCapable();
  }

  JarLoader(URL[] jars, StormLoader storm) {
    super(jars, storm);
    this.storm = storm;
    storm.fallBackTo(this);
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    boolean shared = isShared(name);
    try {
      return shared ? storm.own(name) : own(name);
    } catch (ClassNotFoundException notHere) {
      return shared ? own(name) : storm.own(name);
    }
  }

  /** Whether one of the jars has the class. */
  boolean has(String name) {
    return findResource(name.replace('.', '/') + ".class") != null;
  }

  /** Of the jars alone. */
  Class<?> own(String name) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> found = findLoadedClass(name);
      return found == null ? findClass(name) : found;
    }
  }

  private static boolean isShared(String name) {
    for (String prefix : SHARED) if (name.startsWith(prefix)) return true;
    return false;
  }

  @Override
  public URL getResource(String name) {
    URL own = findResource(name);
    return own != null ? own : super.getResource(name);
  }

  @Override
  public Enumeration<URL> getResources(String name) throws IOException {
    List<URL> found = new ArrayList<>(Collections.list(findResources(name)));
    if (getParent() != null) found.addAll(Collections.list(getParent().getResources(name)));
    return Collections.enumeration(found);
  }
}
