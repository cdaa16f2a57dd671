// The first message to a shell component: who it is, what surrounds it, and the whole conf. Pure; the spellings are
// Storm's and libraries read them literally.
import type { Conf, GroupingDescription, TopologyContext } from '../component/api.ts'

/** The handshake message. `pidDir` is where the component leaves an empty file named by its pid. */
export function handshake(conf: Conf, context: TopologyContext, pidDir: string): object {
  return { pidDir, conf, context: contextMessage(context) }
}

/** The eight keys of the context, all from the user's part of the topology. */
function contextMessage(context: TopologyContext): object {
  return {
    'task->component': Object.fromEntries(
      [...context.taskToComponent].map(([task, component]) => [String(task), component]),
    ),
    taskid: context.taskId,
    componentid: context.componentId,
    streams: [...context.streams.keys()],
    'stream->outputfields': Object.fromEntries(context.streams),
    'stream->target->grouping': groupings(context.targets),
    'source->stream->grouping': groupings(context.sources),
    'source->stream->fields': Object.fromEntries(
      [...context.sourceFields].map(([source, streams]) => [source, Object.fromEntries(streams)]),
    ),
  }
}

function groupings(
  outer: ReadonlyMap<string, ReadonlyMap<string, GroupingDescription>>,
): Record<string, Record<string, object>> {
  return Object.fromEntries(
    [...outer].map(([key, inner]) => [
      key,
      Object.fromEntries([...inner].map(([name, grouping]) => [name, describe(grouping)])),
    ]),
  )
}

// Only FIELDS has fields; a global grouping is FIELDS with none.
function describe(grouping: GroupingDescription): object {
  return grouping.type === 'FIELDS'
    ? { type: grouping.type, fields: [...grouping.fields] }
    : { type: grouping.type }
}
