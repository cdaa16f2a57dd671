// Tasks and sources whose emits are noted down, at the emitter, before any partitioner. The context they are given is a
// face of the real one, so that what they emit in whatever way (output, outputTo, an outlet of a port) is seen.
import type { ProcessorSpec } from '../dag/graph.ts'
import { DEFAULT_PORT } from '../dag/processor.ts'
import type { Outlet, Source, Task } from '../task/task.ts'

export type Note = (port: string, value: unknown) => void

/** The processor, with every emit of its tasks told to `note`. */
export function watched(spec: ProcessorSpec, note: Note): ProcessorSpec {
  const create = () => {
    const made = spec.create()
    return spec.kind === 'source'
      ? watchedSource(made as Source<never>, note)
      : watchedTask(made as Task<unknown, never>, note)
  }
  // What else is written on the factory is read by the engine.
  return { ...spec, create: Object.assign(create, spec.create) }
}

function watchedTask(task: Task<unknown, never>, note: Note): Task<unknown, never> {
  const face = faces(note)
  return {
    onNext: (value, context) => task.onNext(value, face(context)),
    ...(task.onStart && { onStart: context => task.onStart!(face(context)) }),
    ...(task.onMessage && {
      onMessage: (message, context) => task.onMessage!(message, face(context)),
    }),
    ...(task.onClock && { onClock: (clockUs, context) => task.onClock!(clockUs, face(context)) }),
    ...(task.onStop && { onStop: () => task.onStop!() }),
    ...(task.needsOrigin !== undefined && { needsOrigin: task.needsOrigin }),
  }
}

function watchedSource(source: Source<never>, note: Note): Source<never> {
  const face = faces(note)
  return {
    next: out => source.next(face(out)),
    ...(source.open && { open: context => source.open!(face(context)) }),
    ...(source.done && { done: id => source.done!(id) }),
    ...(source.fail && { fail: id => source.fail!(id) }),
    ...(source.onActive && { onActive: active => source.onActive!(active) }),
    ...(source.close && { close: () => source.close!() }),
  }
}

// A task is given the same context each time: one face is made of it.
function faces(note: Note): <C extends object>(context: C) => C {
  let of: object | undefined
  let face: object | undefined
  return <C extends object>(context: C): C => {
    if (of !== context) {
      of = context
      face = faceOf(context, note)
    }
    return face as C
  }
}

function faceOf(context: object, note: Note): object {
  const isSource = !('outputTo' in context)
  const real = context as Record<string, (...args: unknown[]) => unknown>
  const own: Record<string, (...args: never[]) => unknown> = {
    output: (...args: unknown[]) => {
      real.output!(...args)
      note(((isSource ? args[2] : args[1]) as string | undefined) ?? DEFAULT_PORT, args[0])
    },
    outputTo: (taskId: number, value: unknown, port?: string) => {
      real.outputTo!(taskId, value, port)
      note(port ?? DEFAULT_PORT, value)
    },
    outlet: (port: string) => watchedOutlet(real.outlet!(port) as Outlet | undefined, port, note),
  }
  if (isSource) delete own.outputTo
  return new Proxy(context, {
    get: (target, key) => {
      if (typeof key === 'string' && key in own) return own[key]
      const value: unknown = Reflect.get(target, key, target)
      // Private fields are found on the real object only.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function watchedOutlet(outlet: Outlet | undefined, port: string, note: Note): Outlet | undefined {
  if (outlet === undefined) return undefined
  return {
    emit: (value, slot) => {
      const target = outlet.emit(value, slot)
      note(port, value)
      return target
    },
    emitTo: (taskId, value, slot) => {
      const found = outlet.emitTo(taskId, value, slot)
      if (found) note(port, value)
      return found
    },
    get targets() {
      return outlet.targets
    },
    get targeting() {
      return outlet.targeting
    },
    reserve: () => outlet.reserve(),
    emitReserved: (taskIds, value, slot) => {
      outlet.emitReserved(taskIds, value, slot)
      note(port, value)
    },
  }
}
