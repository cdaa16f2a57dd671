// Whether an address is of this machine alone: what listens there needs no security. Apart from the settings, so that what
// a worker starts need not load how settings are read.

/** By its text only: a name may mean another address tomorrow. */
export function isLoopback(bind: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i.test(bind)
}
