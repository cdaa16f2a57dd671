// An application whose task cannot start, for a user's reason.
import { application, graph, processor, source } from 'gearpump'

const numbers = source('numbers', () => ({ next: (): 'end' => 'end' }))
const broken = processor('broken', () => ({
  onStart: () => {
    throw new Error('there is no such database')
  },
  onNext: () => undefined,
}))

export const app = application('broken-start', graph(numbers.to(broken)))
