// Types of dist.mjs, for its test.
export interface Dist {
  /** Path of the archive. */
  readonly archive: string
  /** The directory that everything in it lies in. */
  readonly top: string
  /** Paths below `top`. */
  readonly files: readonly string[]
  readonly sha256: string
}

export declare function makeDist(options?: { readonly directory?: string }): Promise<Dist>
