/** Request bodies, bounded. */
import { CountersignError } from '../../error.ts'

/**
 * The body of a request.
 * @throws CountersignError TOO_LARGE, having read no more than the limit and one chunk
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge(maxBytes)
  if (announced !== null) {
    // The announced length is what the connection delivers, so this is bounded too.
    const whole = new Uint8Array(await request.arrayBuffer())
    if (whole.length > maxBytes) throw tooLarge(maxBytes)
    return whole
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function tooLarge(maxBytes: number): CountersignError {
  return new CountersignError('TOO_LARGE', `the request's body has more than ${maxBytes} bytes`)
}
