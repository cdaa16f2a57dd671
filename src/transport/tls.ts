// What a socket shows and trusts, where links are encrypted.

/** PEM texts. */
export interface TlsCredentials {
  readonly ca: string
  readonly cert: string
  readonly key: string
}
