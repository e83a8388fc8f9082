/** What is said about a finished signature: as cosign does, and as JSON. */
import { encodeEnvelope } from '../../bundle/dsse.ts'
import type { DsseEnvelope, SignedEntity } from '../../bundle/signed-entity.ts'
import { encodeBase64 } from '../../encoding/base64.ts'
import { encodeHex } from '../../encoding/hex.ts'
import type { JsonObject, JsonValue } from '../../encoding/json.ts'
import { parseJson } from '../../encoding/json.ts'
import { CountersignError, messageOf } from '../../error.ts'
import type { SignedResult } from '../../sign/sign-content.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'
import { describeEvidence } from '../verification/report.ts'
import type { OutputFile } from './output-files.ts'

/** cosign's lines on standard error. */
export function reportSigned({ stderr }: CommandContext, files: readonly OutputFile[], result: SignedResult): void {
  stderr.write(signedLines(files, result))
}

/** As text, each with its end. */
export function signedLines(files: readonly OutputFile[], { entity }: SignedResult): string {
  const entries = entity.logEntries.map(({ logIndex }) => `tlog entry created with index: ${logIndex}\n`)
  return [...entries, ...files.map(({ what, path }) => `Wrote ${what} to file ${printableLine(path)}\n`)].join('')
}

/** What stands in the place of `describeSigned` for a blob that could not be signed. */
export function describeUnsigned(blob: string, error: unknown): JsonObject {
  const code = error instanceof CountersignError ? error.code : ''
  return { signed: false, artifact: { name: blob }, error: { code, message: messageOf(error) } }
}

/** The evidence of the verification that what was signed has passed, the signature, and the files that were written. */
export function describeSigned(blob: string, files: readonly OutputFile[], { entity, evidence }: SignedResult): JsonObject {
  const { verified: _, ...described } = describeEvidence(blob, undefined, evidence)
  return {
    signed: true,
    ...described,
    artifact: { name: blob, ...digestJson(entity) },
    signature: encodeBase64(entity.content.signature),
    files: describeFiles(files),
  }
}

/** The same of an attestation, which is about the subjects of its statement. Where nothing else holds the envelope, this does. */
export function describeAttested(files: readonly OutputFile[], { entity, evidence }: SignedResult, envelope: DsseEnvelope): JsonObject {
  const { verified: _, artifact: __, ...described } = describeEvidence('', undefined, evidence)
  const isWritten = files.some(({ what }) => what === 'bundle' || what === 'signature')
  return {
    signed: true,
    ...described,
    signature: encodeBase64(entity.content.signature),
    ...(isWritten ? {} : { envelope: parseJson(encodeEnvelope(envelope), 'the envelope') }),
    files: describeFiles(files),
  }
}

/** The same of a signature or an attestation of an image. */
export function describeStored(
  image: { readonly name: string; readonly digest: string; readonly stored: string | undefined },
  files: readonly OutputFile[],
  { entity, evidence }: SignedResult,
): JsonObject {
  const { verified: _, artifact: __, ...described } = describeEvidence('', undefined, evidence)
  return {
    signed: true,
    image: { name: image.name, digest: image.digest },
    ...described,
    signature: encodeBase64(entity.content.signature),
    ...(image.stored === undefined ? {} : { stored: image.stored }),
    // Where nothing else holds it.
    ...(image.stored === undefined && files.length === 0 && entity.content.kind === 'dsse-envelope'
      ? { envelope: parseJson(encodeEnvelope(entity.content), 'the envelope') }
      : {}),
    files: describeFiles(files),
  }
}

function describeFiles(files: readonly OutputFile[]): JsonValue {
  return files.map(({ what, path }) => ({ kind: what, path }))
}

function digestJson({ content }: SignedEntity): JsonObject {
  if (content.kind !== 'message-signature' || content.digest === undefined) return {}
  return { [content.digest.algorithm]: encodeHex(content.digest.value) }
}
