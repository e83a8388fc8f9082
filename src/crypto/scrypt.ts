/** scrypt (RFC 7914), twice: on a thread of Node's pool, and on this thread, which is faster. */
import { pbkdf2Sync, scrypt } from 'node:crypto'
import { decodeBase64 } from '../encoding/base64.ts'
import { scryptModule } from './scrypt-module.ts'

/** What a key is made with, beside the password. */
export interface ScryptSettings {
  /** N, a power of two. r is 8 and p is 1. */
  readonly cost: number
  readonly salt: Uint8Array
}

/** Makes 32 bytes of a password: `scryptAside` or `scryptHere`. */
export type KeyDerivation = (password: Uint8Array, settings: ScryptSettings) => Promise<Uint8Array>

const blockSize = 8
const keyBytes = 32
const chunkBytes = 128 * blockSize
const pageBytes = 65_536
const salsaWords = 16

/** For programs that have something else to do meanwhile. */
export function scryptAside(password: Uint8Array, { cost, salt }: ScryptSettings): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // Node's default limit is for a cost of 16384. scrypt takes 128·N·r bytes, and a little more.
    const options = { N: cost, r: blockSize, p: 1, maxmem: 2 * cost * chunkBytes }
    scrypt(password, salt, keyBytes, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/**
 * For programs that can do nothing before they have the key: it stops this thread, for two thirds of the time that OpenSSL would take, which
 * does not use vectors. Where there is no WebAssembly, or no address space for it, it is `scryptAside`.
 */
export async function scryptHere(password: Uint8Array, settings: ScryptSettings): Promise<Uint8Array> {
  const { cost, salt } = settings
  const mixer = createMixer(cost)
  if (mixer === undefined) return scryptAside(password, settings)
  const chunk = pbkdf2Sync(password, salt, 1, chunkBytes, 'sha256')
  copyWords(chunk, mixer.input, diagonally, inOrder)
  mixer.romix(cost, blockSize)
  copyWords(mixer.result, chunk, inOrder, diagonally)
  const key = pbkdf2Sync(password, chunk, 1, keyBytes, 'sha256')
  // The rest of the memory goes back to the system with the module, and is given to nobody before it was cleared.
  for (const secret of [chunk, mixer.input, mixer.result]) secret.fill(0)
  return key
}

interface Mixer {
  /** Where the chunk goes that is mixed, and where it comes out. */
  readonly input: Uint8Array
  readonly result: Uint8Array
  romix(cost: number, blockSize: number): void
}

/** As much of the global object as is used here. TypeScript has its type among those of browsers. */
interface WebAssemblyApi {
  readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Pick<Mixer, 'romix'> }
}

function createMixer(cost: number): Mixer | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyApi }
  if (WebAssembly === undefined) return undefined
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(((cost + 2) * chunkBytes) / pageBytes) })
    const module = new WebAssembly.Module(decodeBase64(scryptModule, 'the module'))
    const { romix } = new WebAssembly.Instance(module, { scrypt: { memory } }).exports
    const chunkAt = (at: number): Uint8Array => new Uint8Array(memory.buffer, at * chunkBytes, chunkBytes)
    return { input: chunkAt(2), result: chunkAt(0), romix }
  } catch {
    // A processor without vectors, a limit on addresses, a Node that was told to compile nothing.
    return undefined
  }
}

/** Where a word of a block is. */
type Order = (word: number) => number
const inOrder: Order = (word) => word
/** As scrypt.wat wants it. */
const diagonally: Order = (word) => (5 * word) % salsaWords

function copyWords(from: Uint8Array, to: Uint8Array, fromOrder: Order, toOrder: Order): void {
  for (let block = 0; block < chunkBytes; block += 4 * salsaWords) {
    for (let word = 0; word < salsaWords; word++) {
      const start = block + 4 * fromOrder(word)
      to.set(from.subarray(start, start + 4), block + 4 * toOrder(word))
    }
  }
}
