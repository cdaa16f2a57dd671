// What an unmodified Java client of any line of Storm (0.9 to 2.8) does with a DRPC server: its DRPCClient calls a function, its
// DRPCInvocationsClient answers or fails it. Everything by reflection, for the packages and constructors differ. Run as a single
// source file with the line's jars on the class path. Prints a line per finding.
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public final class DrpcTour {
  private static final Map<String, Object> conf = new HashMap<>();

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    String root = classRoot();
    conf.putAll(settings(root));
    if (args.length > 3) {
      conf.put("storm.thrift.transport", args[2]);
      conf.put("drpc.thrift.transport", args[2]);
      conf.put("drpc.invocations.thrift.transport", args[2]);
      conf.put("java.security.auth.login.config", args[3]);
      System.setProperty("java.security.auth.login.config", args[3]);
    }
    Object caller = client(root + ".utils.DRPCClient", port);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    if (args[1].equals("-")) {
      // Functions that a running topology answers.
      for (int i = 4; i + 1 < args.length; i += 2) {
        print(args[i + 1], call(caller, "execute", args[i], args[i + 1]));
      }
      System.exit(0);
    }
    Object topology = client(root + ".drpc.DRPCInvocationsClient", Integer.parseInt(args[1]));
    print("empty", "[" + field(call(topology, "fetchRequest", "exclaim"), "request_id") + "]");

    Future<Object> result = thread.submit(executing(caller, "exclaim", "hello \u00fc"));
    Object request = fetched(topology);
    call(topology, "result", field(request, "request_id"), field(request, "func_args") + "!");
    print("result", result.get());

    Future<Object> failed = thread.submit(executing(caller, "exclaim", "bad"));
    call(topology, "failRequest", field(fetched(topology), "request_id"));
    print("failed", failed.get());

    // What nobody waits for.
    call(topology, "result", "123", "late");
    Future<Object> large = thread.submit(executing(caller, "exclaim", "x".repeat(500_000)));
    Object second = fetched(topology);
    call(topology, "result", field(second, "request_id"), field(second, "func_args"));
    print("large", String.valueOf(large.get()).length());
    System.exit(0);
  }

  private static Callable<Object> executing(Object caller, String function, String args) {
    return () -> {
      try {
        return call(caller, "execute", function, args);
      } catch (InvocationTargetException e) {
        Throwable cause = e.getCause();
        return cause.getClass().getSimpleName() + " " + field(cause, "msg") + typeOf(cause);
      }
    };
  }

  private static String typeOf(Throwable cause) throws Exception {
    try {
      return " " + cause.getClass().getMethod("get_type").invoke(cause);
    } catch (NoSuchMethodException e) {
      return "";
    }
  }

  private static Object fetched(Object topology) throws Exception {
    for (;;) {
      Object request = call(topology, "fetchRequest", "exclaim");
      if (!"".equals(field(request, "request_id"))) return request;
      Thread.sleep(5);
    }
  }

  private static String classRoot() {
    try {
      Class.forName("org.apache.storm.utils.DRPCClient");
      return "org.apache.storm";
    } catch (ClassNotFoundException e) {
      return "backtype.storm";
    }
  }

  // Not by Utils.readDefaultConfig: until 1.2 that class needs Clojure.
  private static Map<String, Object> settings(String root) {
    return Map.of("storm.thrift.transport", root + ".security.auth.SimpleTransportPlugin",
        "drpc.max_buffer_size", 1048576, "storm.nimbus.retry.times", 2, "storm.nimbus.retry.interval.millis", 100,
        "storm.nimbus.retry.intervalceiling.millis", 1000, "storm.thrift.socket.timeout.ms", 60000);
  }

  private static Object client(String name, int port) throws Exception {
    Class<?> type = Class.forName(name);
    try {
      return type.getConstructor(Map.class, String.class, int.class).newInstance(conf, "localhost", port);
    } catch (NoSuchMethodException old) {
      Constructor<?> constructor = type.getConstructor(String.class, int.class);
      return constructor.newInstance("localhost", port);
    }
  }

  private static Object call(Object target, String name, Object... args) throws Exception {
    for (Method method : target.getClass().getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == args.length) {
        return method.invoke(target, args);
      }
    }
    throw new NoSuchMethodException(name);
  }

  private static Object field(Object target, String name) throws Exception {
    return target.getClass().getMethod("get_" + name).invoke(target);
  }

  private static void print(String what, Object value) {
    System.out.println(what + ": " + value);
  }
}
