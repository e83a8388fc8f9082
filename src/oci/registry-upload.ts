/** Storing blobs in a registry: taken over from another repository, in one request, or in pieces that go on where one broke off. */
import { concatBytes } from '../encoding/bytes.ts'
import { CountersignError, TransportError } from '../error.ts'
import { pause } from '../http/deadline.ts'
import type { HttpResponse } from '../http/fetch.ts'
import { isSuccess } from '../http/fetch.ts'
import { backoff } from '../http/retry.ts'
import { checkedContent } from './digest.ts'
import type { RegistryRequest, RegistrySession } from './registry-session.ts'
import type { BlobContent } from './repository.ts'

/** A blob is sent in pieces of this size when it is larger: what was sent before a failure is not sent again. */
const pieceBytes = 16 * 1024 * 1024
const maxPieceAttempts = 5
/** How often an upload is begun anew when the registry has lost it. */
const maxUploads = 3

export interface UploadPlace {
  readonly session: RegistrySession
  readonly repository: string
  /** As messages name it. */
  readonly name: string
}

export interface Upload {
  readonly content: BlobContent
  readonly digest: string
  /** Bytes. */
  readonly size: number
  /** Another repository of the registry that may have it. */
  readonly from: string | undefined
  /** Whether the blob is there: what an answer that was lost would have said. */
  readonly isThere: () => Promise<boolean>
}

/** @throws CountersignError SERVICE_REFUSED, TransportError */
export async function uploadBlob(place: UploadPlace, upload: Upload): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await uploadOnce(place, upload)
    } catch (error) {
      if (!(error instanceof CountersignError) || !isWorthAnother(error) || attempt >= maxUploads) throw error
      const { signal } = place.session
      await pause(backoff(attempt - 1), signal ?? new AbortController().signal)
      signal?.throwIfAborted()
      if (await upload.isThere()) return
    }
  }
}

/** A request that was repeated may have been half received before: the registry then has other bytes, or no such upload. */
class LostUploadError extends CountersignError {
  override name = 'LostUploadError'
}

function isWorthAnother(error: CountersignError): boolean {
  return error instanceof LostUploadError || error.code === 'NETWORK_FAILED'
}

async function uploadOnce(place: UploadPlace, upload: Upload): Promise<void> {
  const { content, digest, size } = upload
  const location = await start(place, upload)
  if (location === undefined) return
  if (content instanceof Uint8Array && size <= pieceBytes) return finish(place, upload, location, content)
  const chunks = content instanceof Uint8Array ? pieces(content) : content.chunks()
  await finish(place, upload, await sendPieces(place, location, checkedContent(chunks, { digest, size }, 'the source')), new Uint8Array())
}

/** @returns where to send the blob, or undefined when the registry took it over from another repository */
async function start(place: UploadPlace, { digest, from }: Upload): Promise<string | undefined> {
  const { repository } = place
  const isMount = from !== undefined && from !== repository
  const query = isMount ? `?${new URLSearchParams({ mount: digest, from }).toString()}` : ''
  const request = (target: string, alsoPull?: string): Promise<HttpResponse> =>
    ask(place, target, { method: 'POST', idempotent: true, alsoPull })
  const path = `/v2/${repository}/blobs/uploads/`
  let response = await request(`${path}${query}`, isMount ? from : undefined).catch((error: unknown) => {
    // Whoever may not read the other repository may still write to this one.
    if (isMount && error instanceof CountersignError && error.code === 'SERVICE_REFUSED') return undefined
    throw error
  })
  if (isMount && response?.status !== 201 && response?.status !== 202) response = await request(path)
  if (response?.status === 201) return undefined
  if (response?.status !== 202) throw refusal(place, response)
  return locationOf(place, response)
}

/** Sends piece after piece; a piece that was cut off is sent from where the registry says that it has got to. */
async function sendPieces(place: UploadPlace, begin: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let location = begin
  let offset = 0
  for await (const piece of gathered(chunks, pieceBytes)) {
    location = await sendPiece(place, location, piece, offset)
    offset += piece.length
  }
  return location
}

async function sendPiece(place: UploadPlace, begin: string, piece: Uint8Array, offset: number): Promise<string> {
  let location = begin
  let sent = 0
  for (let attempt = 1; ; attempt++) {
    const rest = piece.subarray(sent)
    try {
      const range = `${offset + sent}-${offset + sent + rest.length - 1}`
      const headers = { 'content-type': 'application/octet-stream', 'content-range': range }
      const response = await ask(place, location, { method: 'PATCH', headers, body: rest })
      if (isSuccess(response)) return locationOf(place, response)
      if (response.status === 404) throw new LostUploadError('NOT_FOUND', refusal(place, response).message)
      if ((response.status !== 416 && response.status !== 429 && response.status < 500) || attempt >= maxPieceAttempts)
        throw refusal(place, response)
    } catch (error) {
      if (!(error instanceof TransportError) || error.code !== 'NETWORK_FAILED' || attempt >= maxPieceAttempts) throw error
    }
    await pause(backoff(attempt - 1), place.session.signal ?? new AbortController().signal)
    const progress = await ask(place, location, {})
    if (progress.status !== 204) throw new LostUploadError('SERVICE_REFUSED', refusal(place, progress).message)
    if (progress.headers['location'] !== undefined) location = locationOf(place, progress)
    const received = receivedBytes(progress)
    // What a registry has lost of the pieces before, or has that was never sent, cannot be mended from here.
    if (received < offset || received > offset + piece.length) {
      throw new LostUploadError('SERVICE_REFUSED', `pushing to ${place.name}: the registry has ${received} bytes of ${offset} and more`)
    }
    sent = received - offset
    if (sent === piece.length) return location
  }
}

/** `0-0` is said for nothing and for one byte; nothing is what it means when a piece has failed. */
function receivedBytes({ headers }: HttpResponse): number {
  const end = Number(/^(?:bytes=)?0-([0-9]{1,15})$/.exec(headers['range'] ?? '')?.[1] ?? 0)
  return end === 0 ? 0 : end + 1
}

async function finish(place: UploadPlace, { digest, isThere }: Upload, location: string, body: Uint8Array): Promise<void> {
  const url = new URL(location)
  url.searchParams.set('digest', digest)
  const response = await ask(place, url.href, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body })
  if (isSuccess(response)) return
  const { status } = response
  if (status !== 400 && status !== 404 && status !== 416) throw refusal(place, response)
  // An answer that was lost: the second attempt finds the upload gone, and the blob there.
  if (await isThere()) return
  throw new LostUploadError('SERVICE_REFUSED', refusal(place, response).message)
}

function ask({ session, repository }: UploadPlace, target: string, options: Partial<RegistryRequest>): Promise<HttpResponse> {
  return session.request(target, { repository, action: 'pull,push', ...options })
}

function locationOf({ name }: UploadPlace, { headers, url }: HttpResponse): string {
  const location = headers['location']
  if (location !== undefined && URL.canParse(location, url)) return new URL(location, url).href
  throw new CountersignError('SERVICE_REFUSED', `pushing to ${name}: the registry does not say where to`)
}

function refusal({ session, name }: UploadPlace, response: HttpResponse | undefined): CountersignError {
  return session.refusal(response, `pushing to ${name}`)
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** The same bytes in pieces of one size, the last one shorter. */
async function* gathered(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - length)
      held.push(Uint8Array.from(part))
      length += part.length
      at += part.length
      if (length < size) continue
      yield concatBytes(...held)
      held = []
      length = 0
    }
  }
  if (length > 0) yield concatBytes(...held)
}
