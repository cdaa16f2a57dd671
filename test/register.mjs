// Tests run straight on the `.ts` sources, through the same loader that serves users' files.
import '../bin/typescript.mjs'
