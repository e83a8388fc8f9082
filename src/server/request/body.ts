/** Request bodies, bounded: each, and all that are being received together. */
import { CountersignError } from '../../error.ts'

/** Read at once: smaller than the bookkeeping is worth, and few enough for as many connections as there may be. */
const smallBytes = 16 * 1024
/** Of larger bodies that clients are in the middle of sending. Without it, slow ones on many connections would take all memory. */
const maxReceivingBytes = 256 * 1024 * 1024

/** For how long a body is left its memory by others that need it. */
const graceMs = 5_000

/** A larger body of which a part is there. */
interface Receiving {
  readonly sinceMs: number
  chunks: Uint8Array[]
  size: number
  /** Whether it had to make room: what was there of it is gone. */
  isDropped: boolean
}

let receivingBytes = 0
/** The oldest first. */
const receiving = new Set<Receiving>()

/** A body that is on its way. */
export interface IncomingBody {
  /** The `content-length`, if there is one: the connection delivers no more than it. */
  readonly announced: string | undefined
  /** Reads it at once, for a short one. */
  readonly whole: () => Promise<Uint8Array>
  readonly chunks: () => AsyncIterable<Uint8Array>
}

/**
 * The body of a request.
 * @throws CountersignError TOO_LARGE, having read no more than the limit and one chunk; REQUEST_INVALID when the client went away;
 *   LOG_OVERLOADED while too much is being received from others
 */
export function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const incoming: IncomingBody = {
    announced: request.headers.get('content-length') ?? undefined,
    whole: async () => new Uint8Array(await request.arrayBuffer()),
    chunks: () => request.body ?? noChunks(),
  }
  return readIncomingBody(incoming, maxBytes)
}

/** As `readBody`, for a body of any origin. */
export async function readIncomingBody({ announced, whole, chunks }: IncomingBody, maxBytes: number): Promise<Uint8Array> {
  if (announced !== undefined && Number(announced) > maxBytes) throw tooLarge(maxBytes)
  try {
    const isSmall = announced !== undefined && Number(announced) <= smallBytes
    const bytes = await (isSmall ? whole() : collect(chunks(), maxBytes))
    if (bytes.length > maxBytes) throw tooLarge(maxBytes)
    return bytes
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw new CountersignError('REQUEST_INVALID', "the request's body could not be read to its end", { cause })
  }
}

async function* noChunks(): AsyncGenerator<Uint8Array> {}

async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const own: Receiving = { sinceMs: performance.now(), chunks: [], size: 0, isDropped: false }
  receiving.add(own)
  try {
    for await (const chunk of body) {
      if (own.isDropped) throw overloaded()
      own.size += chunk.length
      receivingBytes += chunk.length
      if (own.size > maxBytes) throw tooLarge(maxBytes)
      makeRoom()
      if (own.isDropped || receivingBytes > maxReceivingBytes) throw overloaded()
      own.chunks.push(chunk)
    }
    if (own.isDropped) throw overloaded()
    return Buffer.concat(own.chunks, own.size)
  } finally {
    drop(own)
  }
}

/** Takes the memory of bodies that had it for long: who sends slowly, perhaps on purpose, does not keep others from sending. */
function makeRoom(): void {
  for (const oldest of receiving) {
    if (receivingBytes <= maxReceivingBytes || performance.now() - oldest.sinceMs < graceMs) return
    drop(oldest)
  }
}

function drop(one: Receiving): void {
  receiving.delete(one)
  receivingBytes -= one.size
  one.chunks = []
  one.size = 0
  one.isDropped = true
}

function overloaded(): CountersignError {
  return new CountersignError('LOG_OVERLOADED', 'too many large requests are being received, try again in a moment')
}

function tooLarge(maxBytes: number): CountersignError {
  return new CountersignError('TOO_LARGE', `the request's body has more than ${maxBytes} bytes`)
}
