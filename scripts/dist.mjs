// `npm run dist [-- DIRECTORY]`: packs `gear-VERSION.tgz`, which runs after unpacking on a host that has only Node: the build,
// the commands, the packages they need, resources, documentation and examples. The same sources give the same bytes:
// names are sorted, times, owners and the umask left out. Written as plain ustar, so that any tar reads it.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { ensureBuilt, ensureInstalled, root } from './setup.mjs'

/** What npm ships, and what npm adds by itself. */
const ALWAYS = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
/** Says when and from what the build was made, which differs from clone to clone. */
const LEFT_OUT = new Set(['dist/.built-from'])

const BLOCK_BYTES = 512
const NAME_BYTES_MAX = 100
const PREFIX_BYTES_MAX = 155

/**
 * Packs what is built and installed into `directory`. Resolves to the archive, its SHA-256 and what is in it.
 * Nothing is built or installed here.
 */
export async function makeDist({ directory = root } = {}) {
  const { version, files: shipped } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const roots = [...new Set([...ALWAYS, ...shipped])]
  const missing = roots.filter(path => !existsSync(join(root, path)))
  if (missing.length > 0) throw new Error(`${missing.join(', ')} is missing: run npm run build`)
  const files = [...roots.flatMap(filesIn), ...productionPackages().flatMap(packageFiles)]
    .filter(file => !LEFT_OUT.has(file))
    .sort((a, b) => (a < b ? -1 : 1))
  const top = `gear-${version}`
  const archive = join(directory, `${top}.tgz`)
  const temporary = `${archive}.${process.pid}`
  mkdirSync(directory, { recursive: true })
  try {
    await pipeline(
      Readable.from(tarOf(files, top)),
      createGzip({ level: 9 }),
      sameOnEverySystem,
      createWriteStream(temporary),
    )
    renameSync(temporary, archive)
  } finally {
    rmSync(temporary, { force: true })
  }
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex')
  return { archive, top, files, sha256 }
}

/** Paths of the packages that run needs, as in the lock file: those for development are marked there. */
function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .filter(([path, { optional }]) => {
      if (existsSync(join(root, path))) return true
      if (optional === true) return false
      throw new Error(`${path} is not installed: run npm run build`)
    })
    .map(([path]) => path)
}

// Packages inside of a package have a line of their own in the lock file, if they are needed.
function packageFiles(path) {
  return filesIn(path).filter(file => !file.slice(path.length).startsWith('/node_modules/'))
}

function filesIn(path) {
  const own = join(root, path)
  if (statSync(own).isFile()) return [path]
  return readdirSync(own, { withFileTypes: true }).flatMap(entry => {
    const inner = `${path}/${entry.name}`
    if (entry.isDirectory()) return filesIn(inner)
    if (entry.isFile()) return [inner]
    throw new Error(`${inner} is neither a file nor a directory`)
  })
}

async function* tarOf(files, top) {
  for (const file of files) {
    const path = join(root, file)
    const { size, mode } = statSync(path)
    yield header(`${top}/${file}`, size, (mode & 0o111) === 0 ? 0o644 : 0o755)
    let read = 0
    for await (const chunk of createReadStream(path)) {
      read += chunk.length
      yield chunk
    }
    if (read !== size) throw new Error(`${file} has changed while it was packed`)
    yield Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

function header(name, size, mode) {
  const { prefix, rest } = splitName(name)
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value, at, digits) => block.write(value.toString(8).padStart(digits, '0'), at)
  block.write(rest, 0)
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(0, 136, 11)
  // The checksum is taken as if its own field were blank.
  block.fill(' ', 148, 156)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

// Long names are cut in two at a slash.
function splitName(name) {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return { prefix: '', rest: name }
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)]
    const fits = Buffer.byteLength(rest) <= NAME_BYTES_MAX
    if (fits && Buffer.byteLength(prefix) <= PREFIX_BYTES_MAX) return { prefix, rest }
  }
  throw new Error(`the path ${name} is too long for tar`)
}

// The tenth byte of a gzip file names the system that made it; 255 is "unknown".
async function* sameOnEverySystem(chunks) {
  let at = 0
  for await (const chunk of chunks) {
    if (at <= 9 && at + chunk.length > 9) chunk[9 - at] = 255
    at += chunk.length
    yield chunk
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await ensureInstalled()
    await ensureBuilt()
    const directory = process.argv[2] === undefined ? root : resolve(process.argv[2])
    const { archive, files, sha256 } = await makeDist({ directory })
    console.log(`${sha256}  ${basename(archive)}`)
    console.error(
      `${files.length} files, ${(statSync(archive).size / 1e6).toFixed(1)} MB: ${archive}`,
    )
  } catch (error) {
    console.error(`dist failed: ${error.message}`)
    process.exitCode = 1
  }
}
