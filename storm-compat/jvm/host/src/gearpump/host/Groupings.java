package gearpump.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The groupings in Java that the emits of one stream go through. Each emitting task has its own, since they may count. */
final class Groupings {
  private final StormLine line;
  private final int task;
  private final List<Object> groupings = new ArrayList<>();

  private Groupings(StormLine line, int task) {
    this.line = line;
    this.task = task;
  }

  /** By the number of the stream; null for streams without any. */
  @SuppressWarnings("unchecked")
  static Groupings[] of(Task task, Map<String, Object> given) throws Throwable {
    StormLine line = task.host.line;
    Groupings[] all = new Groupings[task.streamNames.size()];
    for (List<Object> row : (List<List<Object>>) given.get("groupings")) {
      int stream = Topology.number(row.get(0));
      Object grouping = Components.object(task.host, row.get(2));
      List<Integer> targets = Topology.numbers((List<Object>) row.get(3));
      line.prepareGrouping(grouping, task.context, task.component, task.streamNames.get(stream), targets);
      if (all[stream] == null) all[stream] = new Groupings(line, task.id);
      all[stream].groupings.add(grouping);
    }
    return all;
  }

  /** The tasks that each one has chosen. */
  synchronized int[][] choose(List<?> values) {
    int[][] chosen = new int[groupings.size()][];
    for (int i = 0; i < chosen.length; i++) {
      List<Integer> tasks = line.chooseTasks(groupings.get(i), task, values);
      chosen[i] = new int[tasks.size()];
      for (int j = 0; j < chosen[i].length; j++) chosen[i][j] = tasks.get(j);
    }
    return chosen;
  }

  static void write(int[][] chosen, Out out) {
    for (int[] tasks : chosen) {
      out.count(tasks.length);
      for (int task : tasks) out.i32(task);
    }
  }
}
