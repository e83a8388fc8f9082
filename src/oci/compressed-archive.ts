/**
 * Compressed archives. Nothing can be read from their middle, so they are decompressed once, into a file that has no name any more when
 * this is done: it goes with the process, however that ends.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, createReadStream, openSync, rmSync, write } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { DecodingError, TransportError, messageOf, systemCode } from '../error.ts'

/** How archives are compressed that can be read. */
export type Compression = 'gzip' | 'zstd'

/** What an archive may become: so much in any case, more in proportion to what it is, and never more than `most`. All are bytes. */
export interface DecompressionLimits {
  readonly always: number
  /** Times the compressed bytes, beyond `always`. Layers that compress better than this are not worth their upload. */
  readonly ratio: number
  readonly most: number
}

const writeAt = promisify(write)
const gibibyte = 1024 ** 3
const defaultLimits: DecompressionLimits = { always: gibibyte, ratio: 100, most: 128 * gibibyte }

/**
 * Decompresses a file.
 * @param file the path
 * @param name as messages name it
 * @returns a file descriptor and the number of bytes; it is never closed
 * @throws DecodingError ENCODING_INVALID for what is cut off or damaged; TransportError TOO_LARGE, FILE_UNREADABLE
 */
export async function decompress(
  file: string,
  name: string,
  compression: Compression,
  limits: DecompressionLimits = defaultLimits,
): Promise<{ readonly descriptor: number; readonly size: number }> {
  const { size: compressed } = await stat(file)
  const limit = Math.min(limits.most, limits.always + limits.ratio * compressed)
  const temporary = path.join(tmpdir(), `countersign-${randomBytes(12).toString('hex')}`)
  const descriptor = openTemporary(temporary, name)
  let size = 0
  let failure: unknown
  try {
    const decompressing = decompressor(compression, name)
    await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), decompressing, async (chunks: AsyncIterable<Uint8Array>) => {
      try {
        for await (const chunk of chunks) {
          if (size + chunk.length > limit) throw tooLarge(name, limit, compressed)
          await writeWhole(descriptor, chunk, size)
          size += chunk.length
        }
      } catch (error) {
        // The pipeline would tell of its own end instead.
        failure = error
        throw error
      }
    })
    // Some programs read on behind it, and would find another archive there.
    if (decompressing.bytesWritten !== compressed)
      throw new DecodingError('ENCODING_INVALID', `${name} has something behind the end of its ${compression}: decompress it first`)
    return { descriptor, size }
  } catch (error) {
    closeSync(descriptor)
    throw explained(failure ?? error, name, compression)
  }
}

/** For its owner only, and without a name as soon as it is open. */
function openTemporary(temporary: string, name: string): number {
  try {
    const descriptor = openSync(temporary, 'wx+', 0o600)
    rmSync(temporary, { force: true })
    return descriptor
  } catch (cause) {
    throw new TransportError('FILE_UNREADABLE', `there is no place in ${tmpdir()} to decompress ${name} to: ${messageOf(cause)}`, { cause })
  }
}

async function writeWhole(descriptor: number, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await writeAt(descriptor, chunk, done, chunk.length - done, at + done)).bytesWritten
  }
}

/** A stream that counts what it has read, as all of zlib's do. */
type Decompressor = Transform & { readonly bytesWritten: number }

function decompressor(compression: Compression, name: string): Decompressor {
  if (compression === 'gzip') return zlib.createGunzip({ chunkSize: 256 * 1024 })
  // Node has it since 22.15.
  const { createZstdDecompress: create } = zlib as { readonly createZstdDecompress?: () => Decompressor }
  if (create === undefined)
    throw new DecodingError('ENCODING_INVALID', `${name} is compressed with zstd, which this Node does not know: decompress it first`)
  return create()
}

function explained(error: unknown, name: string, compression: Compression): unknown {
  const code = systemCode(error)
  if (code === 'ENOSPC') {
    const advice = 'name a folder with more room in TMPDIR, or decompress it first'
    return new TransportError('FILE_UNREADABLE', `there is no room in ${tmpdir()} to decompress ${name} to: ${advice}`, { cause: error })
  }
  if (/^(?:Z_|ZSTD_)/.test(code)) {
    const reason = `it is compressed with ${compression}, and ${code === 'Z_BUF_ERROR' ? 'cut off' : 'damaged'}`
    return new DecodingError('ENCODING_INVALID', `${name} cannot be read as an archive: ${reason}`, { cause: error })
  }
  return error
}

function tooLarge(name: string, limit: number, compressed: number): TransportError {
  return new TransportError(
    'TOO_LARGE',
    `${name} has ${compressed} bytes and becomes more than ${limit}, which is too much for an archive: decompress it first if you trust it`,
  )
}
