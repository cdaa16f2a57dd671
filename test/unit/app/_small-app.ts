// An application that another process can load.
import { application, graph, processor, source } from 'gearpump'

export function smallApp() {
  return application(
    'small',
    graph(
      source<number>('s', () => ({ next: () => false })).to(
        processor<number, never>('p', () => ({ onNext: () => undefined })),
      ),
    ),
    { code: { module: import.meta.url, export: 'smallApp', input: null } },
  )
}
