// Types of setup.mjs, for the tests and benchmarks that prepare themselves by it.
export interface SetupOptions {
  /** Gets one line at the start and one at the end of what takes long; by default they go to stderr. */
  say?: (line: string) => void
}

/** The folder of the repository. */
export declare const root: string
export declare function ensureInstalled(options?: SetupOptions): Promise<boolean>
export declare function ensureBuilt(options?: SetupOptions): Promise<boolean>
