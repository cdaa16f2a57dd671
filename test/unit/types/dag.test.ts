// The compiler is the test here: each `@ts-expect-error` stands before a line that must not compile, and fails the
// type check if it does. The run only shows that such a graph can be made at all.
import test from 'ava'
import { graph } from '../../../src/dag/graph.ts'
import {
  groupBy,
  hash,
  multicast,
  type Partitioner,
  unicast,
} from '../../../src/dag/partitioner.ts'
import { type Path, type Processor, processor, source } from '../../../src/dag/processor.ts'
import type { Source, SourceContext, Task, TaskContext } from '../../../src/task/task.ts'

class Words implements Source<string> {
  next(out: SourceContext<string>): 'end' {
    out.output('word', 1)
    return 'end'
  }
}

class Length implements Task<string, number> {
  onNext(word: string, context: TaskContext<number>): void {
    context.output(word.length)
  }
}

class Pair implements Task<number, readonly [string, number]> {
  onNext(value: number, context: TaskContext<readonly [string, number]>): void {
    context.output(['n', value])
  }
}

class Print implements Task<unknown> {
  onNext(): void {
    // Nothing: a task that gives nothing on.
  }
}

const words = source('words', () => new Words())
const length = processor('length', () => new Length())
const pair = processor('pair', () => new Pair())
const print = processor('print', () => new Print())

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function holds<_Claim extends true>(): void {
  // Nothing at run time: the claim is checked when this is compiled.
}

test('what a processor takes and gives is read from its task', t => {
  holds<Same<typeof words, Processor<never, string>>>()
  holds<Same<typeof length, Processor<string, number>>>()
  holds<Same<typeof pair, Processor<number, readonly [string, number]>>>()
  const path = words.to(length).to(pair)
  holds<Same<typeof path, Path<never, readonly [string, number]>>>()
  t.is(graph(path.to(print)).edges.length, 3)
})

test('what does not fit does not compile', t => {
  // @ts-expect-error words are not numbers
  words.to(pair)
  // @ts-expect-error lengths are not words, also at the end of a path
  words.to(length).to(length)
  // @ts-expect-error lengths are not words, also where a path goes on
  length.to(length.to(pair))
  // @ts-expect-error a source takes nothing
  length.to(words)
  // @ts-expect-error a path that begins with a source takes nothing
  length.to(words.to(length))
  // @ts-expect-error the task takes words
  processor<number, number>('wrong', () => new Length())
  // @ts-expect-error the task gives numbers
  processor<string, string>('wrong', () => new Length())
  // @ts-expect-error the source gives words
  source<number>('wrong', () => new Words())
  // @ts-expect-error a source is no task
  processor('wrong', () => new Words())
  t.pass()
})

test('a wider task takes narrower messages, not the other way round', t => {
  const wide = processor<string | number, string>('wide', () => ({ onNext: () => undefined }))
  words.to(wide)
  length.to(wide)
  // @ts-expect-error strings or numbers are not all numbers
  processor<string, string | number>('either', () => ({ onNext: () => undefined })).to(pair)
  t.pass()
})

test('a partitioner sees the messages of its edge', t => {
  words.to(
    length,
    groupBy(word => word.toUpperCase()),
  )
  words.to(
    length,
    unicast(targets => word => word.length % targets),
  )
  words.to(
    length,
    multicast(() => word => [word.length]),
  )
  words.to(length, hash())
  const byDigits = groupBy((value: number) => value.toFixed())
  // @ts-expect-error words are not numbers
  words.to(length, byDigits)
  words.to(
    length,
    // @ts-expect-error words have no toFixed
    groupBy(word => word.toFixed()),
  )
  const lastWord = () => (word: string) => word
  // @ts-expect-error an index is a number
  words.to(length, unicast(lastWord))
  const ofAnything: Partitioner = hash()
  const ofWords: Partitioner<string> = ofAnything
  t.deepEqual(ofWords, { kind: 'hash' })
})

test('a task can be written on the spot', t => {
  const shout = processor<string, string>('shout', () => ({
    onNext: (word, context) => context.output(word.toUpperCase(), 'loud'),
  }))
  const once = source<string>('once', () => ({
    next: out => {
      out.output('hello', 7)
      return 'end'
    },
  }))
  t.is(graph(once.to(shout).to(length)).processors.length, 3)
})
