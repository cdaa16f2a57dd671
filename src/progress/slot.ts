// What a slot is, said once: the number of a row in an executor's ledger, meaning "this thing, and all it caused, is
// unfinished". It stands apart from the ledger so that the rings, which store slots and know nothing else of them,
// need not import it.

/** A row of the ledger. Valid only in its own executor, and only while somebody owns a hold on it. */
export type Slot = number

/** The slot of what nobody waits for: unanchored emits, ticks, unreliable roots. */
export const NONE = 0
