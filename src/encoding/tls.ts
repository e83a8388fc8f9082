/** The TLS presentation language (RFC 8446 section 3), as far as certificate transparency uses it. */
import type { ErrorCode } from '../error.ts'
import { DecodingError } from '../error.ts'
import { concatBytes } from './bytes.ts'

/** Reads numbers and length-prefixed vectors from a byte string, front to back. */
export class TlsReader {
  // Private by type, for the reason given in JsonFields.
  private readonly bytes: Uint8Array
  private readonly what: string
  private readonly code: ErrorCode
  private at = 0

  /** @param what names the bytes in error messages; `code` is the code of those errors */
  constructor(bytes: Uint8Array, what: string, code: ErrorCode = 'ENCODING_INVALID') {
    this.bytes = bytes
    this.what = what
    this.code = code
  }

  /** Whether everything was read. */
  get done(): boolean {
    return this.at === this.bytes.length
  }

  /** An unsigned big-endian number of 1 to 6 bytes. */
  uint(size: number): number {
    let value = 0
    const bytes = this.take(size)
    for (let at = 0; at < size; at++) value = value * 256 + (bytes[at] ?? 0)
    return value
  }

  /** An unsigned big-endian number of 8 bytes. */
  uint64(): bigint {
    const high = this.uint(4)
    return (BigInt(high) << 32n) | BigInt(this.uint(4))
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const end = this.at + length
    if (end > this.bytes.length) {
      const left = this.bytes.length - this.at
      throw new DecodingError(this.code, `${this.what} ends early: ${length} more bytes were expected, ${left} are left`)
    }
    const taken = this.bytes.subarray(this.at, end)
    this.at = end
    return taken
  }

  /** A vector `<0..2^(8*lengthSize)-1>`: its length in `lengthSize` bytes, then its bytes. */
  opaque(lengthSize: number): Uint8Array {
    return this.take(this.uint(lengthSize))
  }

  /** Demands that everything was read. */
  end(): void {
    if (!this.done) {
      throw new DecodingError(this.code, `${this.what} has ${this.bytes.length - this.at} bytes after its end`)
    }
  }
}

/** An unsigned big-endian number in `size` bytes. */
export function tlsUint(value: number | bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) {
    let left = value
    for (let at = size - 1; at >= 0; at--) {
      bytes[at] = left % 256
      left = Math.floor(left / 256)
    }
    if (left !== 0) throw tooLarge(value, size)
    return bytes
  }
  let rest = BigInt(value)
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (rest !== 0n) throw tooLarge(value, size)
  return bytes
}

function tooLarge(value: number | bigint, size: number): DecodingError {
  return new DecodingError('ENCODING_INVALID', `${value} does not fit in ${size} bytes`)
}

/** A vector with its length in `lengthSize` bytes. */
export function tlsOpaque(bytes: Uint8Array, lengthSize: number): Uint8Array {
  return concatBytes(tlsUint(bytes.length, lengthSize), bytes)
}
