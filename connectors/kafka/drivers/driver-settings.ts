// What both drivers hold to.

export const CONNECT_TIMEOUT_MS = 5000
/** A broker that has not answered by then is taken for dead; a fetch waits much less. */
export const REQUEST_TIMEOUT_MS = 30_000
/** Codes of TLS errors that say: this certificate is not taken. Asking again does not help. */
export const CERTIFICATE_REFUSED = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/
