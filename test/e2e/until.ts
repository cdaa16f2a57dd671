// Waiting for something to become true, without guessing how long it takes.

/** Asks `ask` again and again until it answers with something (not undefined, null or false); fails after `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => {
      const timer = setInterval(() => {
        clearInterval(timer)
        resolve(undefined)
      }, 10)
    })
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
