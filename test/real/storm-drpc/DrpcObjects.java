// Storm's own DRPC components, serialised as a submission has them, of any line of Storm (0.9 to 2.8): by reflection, for the packages
// differ. ReturnResults stands for the bolt that is wrapped. Run as a single source file with the line's jars on the class path. Prints `name: base64`.
import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.lang.reflect.Constructor;
import java.util.Base64;

public final class DrpcObjects {
  private static String root;

  public static void main(String[] args) throws Exception {
    root = args[0];
    Object single = type("coordination.CoordinatedBolt$SourceArgs").getMethod("single").invoke(null);
    Object ids = type("coordination.CoordinatedBolt$IdStreamSpec").getMethod("makeDetectSpec", String.class, String.class)
        .invoke(null, "prepare-request", "id");
    Object fair = type("drpc.KeyedFairBolt").getConstructor(type("topology.IRichBolt")).newInstance(make("drpc.ReturnResults"));
    write("spout", type("drpc.DRPCSpout").getConstructor(String.class).newInstance("shout"));
    write("join", type("drpc.JoinResult").getConstructor(String.class).newInstance("prepare-request"));
    write("return", make("drpc.ReturnResults"));
    write("prepare", type("topology.BasicBoltExecutor").getConstructor(type("topology.IBasicBolt"))
        .newInstance(make("drpc.PrepareRequest")));
    for (Constructor<?> constructor : type("coordination.CoordinatedBolt").getConstructors()) {
      if (constructor.getParameterCount() == 4) {
        write("coordinated", constructor.newInstance(fair, "bolt0", single, ids));
      }
      if (constructor.getParameterCount() == 1) write("first", constructor.newInstance(fair));
    }
    System.exit(0);
  }

  private static Class<?> type(String name) throws Exception {
    return Class.forName(root + "." + name);
  }

  private static Object make(String name) throws Exception {
    return type(name).getConstructor().newInstance();
  }

  private static void write(String name, Object object) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ObjectOutputStream out = new ObjectOutputStream(bytes);
    out.writeObject(object);
    out.close();
    System.out.println(name + ": " + Base64.getEncoder().encodeToString(bytes.toByteArray()));
  }
}
