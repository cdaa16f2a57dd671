// Storm's messages that make a topology: components, streams, groupings. The numbers are the same from 0.9 to 2.x; what later
// versions added is optional.
import { struct, union } from './codec.ts'
import {
  binary,
  bool,
  double,
  entries,
  i32,
  i64,
  list,
  map,
  set,
  string,
  type ValueOf,
} from './wire-types.ts'

export const JavaObjectArg = union('JavaObjectArg', {
  int_arg: [1, i32],
  long_arg: [2, i64],
  string_arg: [3, string],
  bool_arg: [4, bool],
  binary_arg: [5, binary],
  double_arg: [6, double],
})
export type JavaObjectArg = ValueOf<typeof JavaObjectArg>

export const JavaObject = struct('JavaObject', {
  full_class_name: [1, string],
  args_list: [2, list(JavaObjectArg)],
})
export type JavaObject = ValueOf<typeof JavaObject>

export const NullStruct = struct('NullStruct', {})
export type NullStruct = ValueOf<typeof NullStruct>

export const GlobalStreamId = struct('GlobalStreamId', {
  componentId: [1, string],
  streamId: [2, string],
})
export type GlobalStreamId = ValueOf<typeof GlobalStreamId>

export const Grouping = union('Grouping', {
  fields: [1, list(string)],
  shuffle: [2, NullStruct],
  all: [3, NullStruct],
  none: [4, NullStruct],
  direct: [5, NullStruct],
  custom_object: [6, JavaObject],
  custom_serialized: [7, binary],
  local_or_shuffle: [8, NullStruct],
})
export type Grouping = ValueOf<typeof Grouping>

export const StreamInfo = struct('StreamInfo', {
  output_fields: [1, list(string)],
  direct: [2, bool],
})
export type StreamInfo = ValueOf<typeof StreamInfo>

export const ShellComponent = struct('ShellComponent', {
  execution_command: [1, string, 'optional'],
  script: [2, string, 'optional'],
})
export type ShellComponent = ValueOf<typeof ShellComponent>

export const ComponentObject = union('ComponentObject', {
  serialized_java: [1, binary],
  shell: [2, ShellComponent],
  java_object: [3, JavaObject],
})
export type ComponentObject = ValueOf<typeof ComponentObject>

export const ComponentCommon = struct('ComponentCommon', {
  inputs: [1, entries(GlobalStreamId, Grouping)],
  streams: [2, map(string, StreamInfo)],
  parallelism_hint: [3, i32, 'optional'],
  json_conf: [4, string, 'optional'],
})
export type ComponentCommon = ValueOf<typeof ComponentCommon>

export const SpoutSpec = struct('SpoutSpec', {
  spout_object: [1, ComponentObject],
  common: [2, ComponentCommon],
})
export type SpoutSpec = ValueOf<typeof SpoutSpec>

export const Bolt = struct('Bolt', {
  bolt_object: [1, ComponentObject],
  common: [2, ComponentCommon],
})
export type Bolt = ValueOf<typeof Bolt>

export const StateSpoutSpec = struct('StateSpoutSpec', {
  state_spout_object: [1, ComponentObject],
  common: [2, ComponentCommon],
})
export type StateSpoutSpec = ValueOf<typeof StateSpoutSpec>

export const SharedMemory = struct('SharedMemory', {
  name: [1, string],
  on_heap: [2, double, 'optional'],
  off_heap_worker: [3, double, 'optional'],
  off_heap_node: [4, double, 'optional'],
})
export type SharedMemory = ValueOf<typeof SharedMemory>

export const StormTopology = struct('StormTopology', {
  spouts: [1, map(string, SpoutSpec)],
  bolts: [2, map(string, Bolt)],
  state_spouts: [3, map(string, StateSpoutSpec)],
  worker_hooks: [4, list(binary), 'optional'],
  dependency_jars: [5, list(string), 'optional'],
  dependency_artifacts: [6, list(string), 'optional'],
  storm_version: [7, string, 'optional'],
  jdk_version: [8, string, 'optional'],
  component_to_shared_memory: [9, map(string, set(string)), 'optional'],
  shared_memory: [10, map(string, SharedMemory), 'optional'],
})
export type StormTopology = ValueOf<typeof StormTopology>
