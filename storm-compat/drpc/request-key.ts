// The id of a request as a key of maps. Ids are the first values of tuples and may come back from a child process or another
// executor as another kind of number.

/** Equal for ids that are equal: 5, 5n and the Double 5. */
export function requestKey(id: unknown): unknown {
  if (typeof id === 'number' || typeof id === 'string') return id
  if (typeof id === 'bigint') {
    const number = Number(id)
    return Number.isSafeInteger(number) ? number : id
  }
  if (typeof id !== 'object' || id === null) return id
  const plain: unknown = id.valueOf()
  return typeof plain === 'object' ? JSON.stringify(id) : requestKey(plain)
}
