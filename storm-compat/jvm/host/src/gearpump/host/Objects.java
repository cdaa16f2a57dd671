package gearpump.host;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.util.Map;

/**
 * Objects of classes that only Java knows, as bytes: by Storm's own serialiser with the registrations of the topology, or, where
 * that cannot write them, by Java's. One for each task, since neither is safe for threads.
 */
final class Objects {
  private final StormLine line;
  private final Map<String, Object> conf;
  private final ClassLoader loader;
  private StormLine.Kryo kryo;
  private boolean noKryo;
  private int lastKind;

  Objects(StormLine line, ClassLoader loader, Map<String, Object> conf) {
    this.line = line;
    this.loader = loader;
    this.conf = conf;
  }

  /** Whether a class comes with the topology's jar. */
  boolean isUsers(Class<?> of) {
    return of.getClassLoader() == loader;
  }

  /** KRYO or SERIALIZED: what the last {@link #write} did. */
  int lastKind() {
    return lastKind;
  }

  synchronized byte[] write(Object value) {
    Throwable why = null;
    StormLine.Kryo kryo = kryo();
    if (kryo != null) {
      try {
        lastKind = Wire.KRYO;
        return kryo.write(value);
      } catch (Throwable failure) {
        why = failure;
      }
    }
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      ObjectOutputStream out = new ObjectOutputStream(bytes);
      out.writeObject(value);
      out.close();
      lastKind = Wire.SERIALIZED;
      return bytes.toByteArray();
    } catch (IOException failure) {
      if (why != null) failure.addSuppressed(why);
      throw new IllegalArgumentException(
          "an object of the class " + value.getClass().getName() + " cannot be sent to another task: register a"
              + " serializer for it (topology.kryo.register), or let it implement java.io.Serializable",
          failure);
    }
  }

  synchronized Object read(int kind, byte[] bytes) {
    if (kind == Wire.SERIALIZED) return deserialize(bytes, loader);
    StormLine.Kryo kryo = kryo();
    if (kryo == null) throw new IllegalStateException("there are no jars of kryo beside Storm's: a value cannot be read");
    return kryo.read(bytes);
  }

  private StormLine.Kryo kryo() {
    if (kryo == null && !noKryo) {
      try {
        kryo = line.kryo(conf);
      } catch (Throwable missing) {
        // The classes of kryo are not there, or do not start on this Java: Java's own serialisation is left.
        noKryo = true;
      }
    }
    return kryo;
  }

  /** A component or a value that Java serialised; classes are looked for where the topology's are. */
  static Object deserialize(byte[] bytes, ClassLoader loader) {
    try (ObjectInputStream in = new LoaderStream(new ByteArrayInputStream(bytes), loader)) {
      return in.readObject();
    } catch (IOException | ClassNotFoundException failure) {
      throw new IllegalArgumentException("cannot be read: " + failure, failure);
    }
  }

  private static final class LoaderStream extends ObjectInputStream {
    private final ClassLoader loader;

    LoaderStream(InputStream in, ClassLoader loader) throws IOException {
      super(in);
      this.loader = loader;
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
      try {
        return Class.forName(description.getName(), false, loader);
      } catch (ClassNotFoundException missing) {
        // Primitive types and the like, which no loader knows.
        return super.resolveClass(description);
      }
    }
  }
}
