// Prints what storm-client's own generated classes say of the wire: a line per struct, union, exception, enumeration and
// method of Nimbus, fields as `id:name:type` (a `?` behind optional ones). A test compares it with our tables.
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.storm.thrift.TFieldIdEnum;
import org.apache.storm.thrift.TFieldRequirementType;
import org.apache.storm.thrift.meta_data.EnumMetaData;
import org.apache.storm.thrift.meta_data.FieldMetaData;
import org.apache.storm.thrift.meta_data.FieldValueMetaData;
import org.apache.storm.thrift.meta_data.ListMetaData;
import org.apache.storm.thrift.meta_data.MapMetaData;
import org.apache.storm.thrift.meta_data.SetMetaData;
import org.apache.storm.thrift.meta_data.StructMetaData;

public final class WireTables {
  private static final String PACKAGE = "org.apache.storm.generated.";
  private static final String[] PRIMITIVES = {
    "", "", "bool", "i8", "double", "", "i16", "", "i32", "", "i64", "string"
  };

  public static void main(String[] args) throws Exception {
    try (JarFile jar = new JarFile(new File(args[0]))) {
      for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
        String name = entries.nextElement().getName();
        if (!name.startsWith(PACKAGE.replace('.', '/')) || !name.endsWith(".class")) continue;
        print(Class.forName(name.substring(0, name.length() - 6).replace('/', '.')));
      }
    }
  }

  private static void print(Class<?> type) throws Exception {
    String name = type.getName().substring(PACKAGE.length());
    if (type.isEnum() && org.apache.storm.thrift.TEnum.class.isAssignableFrom(type)) {
      List<String> values = new ArrayList<>();
      for (Object value : type.getEnumConstants()) {
        values.add(((org.apache.storm.thrift.TEnum) value).getValue() + ":" + value);
      }
      System.out.println("enum " + name + " " + String.join(" ", values));
      return;
    }
    Map<?, ?> fields;
    try {
      fields = (Map<?, ?>) type.getField("metaDataMap").get(null);
    } catch (NoSuchFieldException none) {
      return;
    }
    boolean union = org.apache.storm.thrift.TUnion.class.isAssignableFrom(type);
    Map<Short, String> lines = new TreeMap<>();
    for (Map.Entry<?, ?> entry : fields.entrySet()) {
      FieldMetaData field = (FieldMetaData) entry.getValue();
      short id = ((TFieldIdEnum) entry.getKey()).getThriftFieldId();
      boolean optional = field.requirementType == TFieldRequirementType.OPTIONAL;
      lines.put(id, id + ":" + field.fieldName + ":" + name(field.valueMetaData) + (optional ? "?" : ""));
    }
    System.out.println((union ? "union " : "struct ") + name + " " + String.join(" ", lines.values()));
  }

  private static String name(FieldValueMetaData type) {
    if (type instanceof StructMetaData) return simple(((StructMetaData) type).structClass);
    if (type instanceof EnumMetaData) return simple(((EnumMetaData) type).enumClass);
    if (type instanceof ListMetaData) return "list<" + name(((ListMetaData) type).elemMetaData) + ">";
    if (type instanceof SetMetaData) return "set<" + name(((SetMetaData) type).elemMetaData) + ">";
    if (type instanceof MapMetaData) {
      MapMetaData map = (MapMetaData) type;
      return "map<" + name(map.keyMetaData) + "," + name(map.valueMetaData) + ">";
    }
    return type.isBinary() ? "binary" : PRIMITIVES[type.type];
  }

  private static String simple(Class<?> type) {
    return type.getName().substring(PACKAGE.length());
  }
}
