// The tables were printed by a JVM (17) with Storm 2.8.1 on its class path: `java.util.Random`,
// `PartialKeyGrouping.RandomTwoTaskAssignmentCreator`, and a whole `PartialKeyGrouping` over a stream of tuples.
import test from 'ava'
import fc from 'fast-check'
import {
  candidates,
  JavaRandom,
  keySeed,
  partialKeyChoice,
} from '../../../../storm-compat/translate/partial-key.ts'
import '../../seed.ts'

// nextInt for 7, 65536, and three times for a bound that refuses a quarter of what is drawn.
const BOUNDS = [7, 65_536, 1_610_612_737, 1_610_612_737, 1_610_612_737]

const RANDOM_ROWS: readonly (readonly [seed: number, drawn: readonly number[]])[] = [
  [0, [5, 54489, 516548029, 1302116447, 1368843515]],
  [1, [4, 6584, 880641847, 874970313, 446064254]],
  [-1, [3, 28807, 26349579, 1176895439, 1421815604]],
  [42, [1, 3582, 1467211248, 102948884, 662969970]],
  [-42, [0, 26820, 130888552, 1510017756, 601059636]],
  [-2147483648, [4, 23841, 867771837, 721090655, 1077421307]],
  [2147483647, [4, 59454, 1388223910, 145398221, 102343302]],
  [123456789, [1, 50024, 981296483, 547328344, 838606290]],
]

const TARGETS = [1, 2, 3, 4, 5, 7, 8, 10, 16, 100, 1000, 1024, 65_536]

type Pair = readonly [number, number]

// The two candidates of a key for each number of targets above.
const CANDIDATE_ROWS: readonly (readonly [key: readonly unknown[], pairs: readonly Pair[]])[] = [
  [
    ['a'],
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 0],
      [1, 0],
      [3, 4],
      [2, 0],
      [1, 5],
      [4, 0],
      [41, 5],
      [541, 105],
      [284, 44],
      [18235, 2864],
    ],
  ],
  [
    ['word'],
    [
      [0, 0],
      [0, 1],
      [2, 0],
      [0, 1],
      [2, 3],
      [4, 0],
      [0, 2],
      [7, 8],
      [0, 4],
      [77, 7],
      [677, 307],
      [57, 269],
      [3694, 17242],
    ],
  ],
  [
    ['the'],
    [
      [0, 0],
      [0, 1],
      [0, 1],
      [1, 2],
      [0, 4],
      [2, 6],
      [2, 4],
      [5, 4],
      [5, 8],
      [95, 34],
      [595, 334],
      [380, 531],
      [24335, 34029],
    ],
  ],
  [
    [-1],
    [
      [0, 0],
      [1, 0],
      [0, 2],
      [2, 3],
      [4, 0],
      [1, 3],
      [5, 6],
      [9, 0],
      [10, 11],
      [39, 30],
      [239, 930],
      [662, 658],
      [42378, 42142],
    ],
  ],
  [
    [0],
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 0],
      [0, 3],
      [3, 6],
      [2, 0],
      [5, 3],
      [4, 0],
      [65, 23],
      [365, 523],
      [293, 24],
      [18781, 1554],
    ],
  ],
  [
    ['user', 7],
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [0, 1],
      [0, 1],
      [6, 0],
      [1, 0],
      [5, 6],
      [2, 0],
      [35, 26],
      [235, 626],
      [171, 61],
      [10948, 3950],
    ],
  ],
  [
    [null],
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 0],
      [0, 3],
      [3, 6],
      [2, 0],
      [5, 3],
      [4, 0],
      [65, 23],
      [365, 523],
      [293, 24],
      [18781, 1554],
    ],
  ],
  [
    [true, 2.5],
    [
      [0, 0],
      [1, 0],
      [1, 0],
      [3, 2],
      [0, 4],
      [3, 1],
      [6, 5],
      [0, 9],
      [12, 10],
      [30, 9],
      [430, 809],
      [830, 658],
      [53154, 42125],
    ],
  ],
  [
    ['polygenelubricants'],
    [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 2],
      [3, 4],
      [2, 0],
      [2, 3],
      [3, 9],
      [5, 4],
      [23, 89],
      [223, 389],
      [336, 265],
      [21533, 17006],
    ],
  ],
]

const TEXT =
  'the quick brown fox jumps over the lazy dog the fox and the dog are the best of the best the end'

// Tuples (position, word, position modulo 3 less 1) of the text, five targets.
const BY_WORD = [0, 3, 1, 2, 4, 4, 0, 1, 2, 0, 2, 4, 0, 1, 4, 0, 1, 1, 4, 1, 0, 2]
const BY_NUMBER_AND_WORD = [2, 0, 1, 0, 1, 4, 2, 4, 3, 2, 0, 1, 2, 3, 3, 0, 4, 0, 2, 1, 1, 4]

test('the generator draws what java.util.Random draws', t => {
  for (const [seed, drawn] of RANDOM_ROWS) {
    const random = new JavaRandom(seed)
    t.deepEqual(
      BOUNDS.map(bound => random.nextInt(bound)),
      drawn,
    )
  }
})

test('a key has the candidates that Storm gives it', t => {
  for (const [key, pairs] of CANDIDATE_ROWS) {
    const seed = keySeed([...key.keys()], key)
    t.deepEqual(
      TARGETS.map(targets => candidates(seed, targets)),
      pairs,
    )
  }
})

test('a stream of tuples goes where Storm sends it', t => {
  const tuples = TEXT.split(' ').map((word, i) => [i, word, (i % 3) - 1])
  t.deepEqual(tuples.map(partialKeyChoice([1], 5)), BY_WORD)
  t.deepEqual(tuples.map(partialKeyChoice([2, 1], 5)), BY_NUMBER_AND_WORD)
})

test('each emitting task counts for itself', t => {
  const [one, other] = [partialKeyChoice([0], 5), partialKeyChoice([0], 5)]
  t.is(one(['the']), other(['the']))
  t.not(one(['the']), one(['the']))
})

test('a key meets at most two tasks, and these evenly', t => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 2, max: 100 }), (key, targets) => {
      const choose = partialKeyChoice([0], targets)
      const counts = new Map<number, number>()
      for (let i = 0; i < 10; i++) {
        const index = choose([key])
        t.true(index >= 0 && index < targets)
        counts.set(index, (counts.get(index) ?? 0) + 1)
      }
      t.deepEqual([...counts.values()], [5, 5])
    }),
  )
})
