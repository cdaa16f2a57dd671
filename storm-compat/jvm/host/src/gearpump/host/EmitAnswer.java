package gearpump.host;

import java.util.AbstractList;
import java.util.List;

/**
 * What an emit returns: the tasks that the tuple went to. The executor chooses them, so this list asks when somebody looks into it;
 * hardly anybody does, and nobody else waits.
 */
final class EmitAnswer extends AbstractList<Integer> {
  private final Task task;
  private final int emit;
  private List<Integer> tasks;

  EmitAnswer(Task task, int emit) {
    this.task = task;
    this.emit = emit;
  }

  private synchronized List<Integer> tasks() {
    if (tasks == null) tasks = task.tasksOf(emit);
    return tasks;
  }

  @Override
  public Integer get(int index) {
    return tasks().get(index);
  }

  @Override
  public int size() {
    return tasks().size();
  }
}
