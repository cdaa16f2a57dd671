// Property tests draw from one seed, so that a run can be repeated and a change is judged by the same examples. Set
// GEARPUMP_SEED to another number, or to `random`, to look further.
import fc from 'fast-check'

const SEED = 20_261_121
const given = process.env.GEARPUMP_SEED

if (given !== 'random') fc.configureGlobal({ seed: given === undefined ? SEED : Number(given) })
