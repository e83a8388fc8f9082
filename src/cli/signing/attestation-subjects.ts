/** What an attestation is about: files, or a file that is not here, by its digest. */
import path from 'node:path'
import type { StatementSubject } from '../../bundle/statement-writer.ts'
import { createDigest } from '../../crypto/digest.ts'
import { UsageError } from '../../error.ts'
import type { Artifact } from '../../verify/artifact.ts'
import { artifactFromBytes, artifactFromDigests } from '../../verify/artifact.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'
import { openBlob } from './blob-input.ts'

const algorithmByDigits: ReadonlyMap<number, string> = new Map([
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512'],
])

/**
 * The subjects of a statement. Each has the name of its file without its folder, as in cosign; where two files then had the same
 * name, all keep their paths as they were given.
 * @param hash the value of `--hash`; empty when the files are here
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE
 */
export async function readSubjects(context: CommandContext, blobs: readonly string[], hash: string): Promise<StatementSubject[]> {
  const names = subjectNames(blobs)
  if (hash !== '') return names.map((name) => ({ name, digests: parseHash(hash) }))
  const subjects: StatementSubject[] = []
  for (const [index, blob] of blobs.entries()) {
    if (blob !== '-') context.stderr.write(`Using payload from: ${printableLine(blob)}\n`)
    const sha256 = (await digestBlob(context, blob, ['sha256'])).digest('sha256')
    if (sha256 !== undefined) subjects.push({ name: names[index] ?? blob, digests: { sha256 } })
  }
  return subjects
}

/** A blob by its digests; it is read piece by piece. @throws TransportError FILE_UNREADABLE */
export async function digestBlob(
  context: CommandContext,
  blob: string,
  algorithms: readonly ('sha256' | 'sha384' | 'sha512')[],
): Promise<Artifact> {
  const payload = openBlob(context, blob)
  if (payload instanceof Uint8Array) return artifactFromBytes(payload)
  const states = algorithms.map((algorithm) => [algorithm, createDigest(algorithm)] as const)
  for await (const chunk of payload) for (const [, state] of states) state.update(chunk)
  return artifactFromDigests(Object.fromEntries(states.map(([algorithm, state]) => [algorithm, state.finish()])))
}

function subjectNames(blobs: readonly string[]): string[] {
  const names = blobs.map((blob) => path.basename(blob))
  if (new Set(names).size === names.length) return names
  const paths = blobs.map((blob) => path.normalize(blob).split(path.sep).join('/'))
  if (new Set(paths).size < paths.length) throw new UsageError('USAGE', 'one of the blobs is named twice')
  return paths
}

/** As many hexadecimal digits as one of the digests has, perhaps with its name in front: `sha256:…`. */
function parseHash(hash: string): StatementSubject['digests'] {
  const [, name, hex = ''] = /^(?:(sha256|sha384|sha512):)?([0-9a-fA-F]+)$/.exec(hash) ?? []
  const algorithm = algorithmByDigits.get(hex.length)
  if (algorithm !== undefined && (name === undefined || name === algorithm)) return { [algorithm]: hex }
  throw new UsageError(
    'USAGE',
    `--hash should be a digest in hexadecimal: 64 digits of sha256, 96 of sha384 or 128 of sha512, found ${JSON.stringify(hash.slice(0, 20))} (${hash.length} characters)`,
  )
}
