package gearpump.host;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/**
 * The class loader of Storm's jars, which are on the class path of this process. In Storm's own workers Storm and the topology's jar
 * are one class path, and Storm's code makes the user's objects by the name of their class, or reads them out of bytes: so what
 * is not Storm's is looked for in the topology's jar. No lock is held on one loader while the other one is asked.
 */
final class StormLoader extends URLClassLoader {
  static {
    registerAsParallelCapable();
  }

  private static final ClassLoader HOST = Host.class.getClassLoader();
  private volatile JarLoader jars;

  StormLoader() throws MalformedURLException {
    super(classPath(), HOST.getParent());
  }

  /** What is not Storm's is there. */
  void fallBackTo(JarLoader jars) {
    this.jars = jars;
  }

  private static URL[] classPath() throws MalformedURLException {
    List<URL> urls = new ArrayList<>();
    for (String part : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (!part.isEmpty()) urls.add(new File(part).toURI().toURL());
    }
    return urls.toArray(new URL[0]);
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    try {
      return own(name);
    } catch (ClassNotFoundException missing) {
      JarLoader others = jars;
      if (others == null || !others.has(name)) throw missing;
      return others.own(name);
    }
  }

  /** Of Storm's jars, or of Java's. */
  Class<?> own(String name) throws ClassNotFoundException {
    return name.startsWith("gearpump.host.") ? HOST.loadClass(name) : super.loadClass(name, false);
  }
}
