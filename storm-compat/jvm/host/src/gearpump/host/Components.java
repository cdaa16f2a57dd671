package gearpump.host;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes a task's component of what the topology says: serialised bytes, or a class with arguments. */
final class Components {
  private Components() {}

  static Object make(Host host, Map<String, Object> given) throws ReflectiveOperationException {
    Object made = object(host, given.get("object"));
    boolean spout = "spout".equals(given.get("kind"));
    if (spout ? host.line.isSpout(made) : host.line.isBolt(made)) return made;
    throw new IllegalArgumentException("the class " + made.getClass().getName() + " is no " + given.get("kind"));
  }

  /** Of serialised bytes, or of a class and arguments. */
  @SuppressWarnings("unchecked")
  static Object object(Host host, Object object) throws ReflectiveOperationException {
    if (object instanceof byte[]) return Objects.deserialize((byte[]) object, host.loader);
    return construct(host.loader, (Map<String, Object>) object);
  }

  // Thrift's JavaObject: a class and plain arguments; the first constructor that takes them.
  private static Object construct(ClassLoader loader, Map<String, Object> object) throws ReflectiveOperationException {
    Class<?> type = Class.forName((String) object.get("class"), true, loader);
    List<Object> arguments = new ArrayList<>();
    for (Object typed : (List<?>) object.get("arguments")) arguments.add(argument((List<?>) typed));
    for (Constructor<?> constructor : type.getConstructors()) {
      if (takes(constructor.getParameterTypes(), arguments)) return constructor.newInstance(arguments.toArray());
    }
    throw new NoSuchMethodException(type.getName() + " has no public constructor for " + arguments);
  }

  private static Object argument(List<?> typed) {
    Object value = typed.get(1);
    switch ((String) typed.get(0)) {
      case "int":
        return ((Number) value).intValue();
      case "long":
        return ((Number) value).longValue();
      case "double":
        return ((Number) value).doubleValue();
      default:
        return value;
    }
  }

  private static boolean takes(Class<?>[] types, List<?> arguments) {
    if (types.length != arguments.size()) return false;
    for (int i = 0; i < types.length; i++) {
      Object argument = arguments.get(i);
      if (argument == null ? types[i].isPrimitive() : !boxed(types[i]).isInstance(argument)) return false;
    }
    return true;
  }

  static Class<?> boxed(Class<?> type) {
    if (type == int.class) return Integer.class;
    if (type == long.class) return Long.class;
    if (type == double.class) return Double.class;
    if (type == boolean.class) return Boolean.class;
    if (type == float.class) return Float.class;
    if (type == short.class) return Short.class;
    if (type == byte.class) return Byte.class;
    return type == char.class ? Character.class : type;
  }
}
