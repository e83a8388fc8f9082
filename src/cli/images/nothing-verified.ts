/** Why an image is refused: cosign's first words and exit codes, every reason, and where was looked. */
import { parseStatement } from '../../bundle/statement.ts'
import { CountersignError } from '../../error.ts'
import { excerpt } from '../../encoding/bytes.ts'
import type { Findings } from '../../oci/found-signature.ts'
import type { ImageVerification, RefusedSignature } from '../../oci/image-verifier.ts'
import { EXIT_CODE, ExitError, ReasonsError } from '../failure.ts'
import type { MeantImage } from './image-input.ts'
import type { ImageVerificationTask } from './verification-task.ts'

const maxShown = 20

/** The error for an image of which nothing holds. */
export function nothingVerified(
  image: MeantImage,
  findings: Findings,
  verification: ImageVerification,
  task: ImageVerificationTask,
): CountersignError {
  const reason =
    verification.refused.length === 0
      ? nothingFound(image, findings, verification, task)
      : task.wanted === 'signature'
        ? noneMatches(findings, verification.refused)
        : noAttestationMatches(findings, verification.refused, task)
  const [failure] = findings.failures
  if (failure === undefined) return reason
  // Where a place could not be looked into, nothing is known of what is there: neither that it is nothing, nor that it is wrong.
  if (findings.looked.length === 0 && findings.signatures.length === 0) return failure
  const read = reason instanceof ReasonsError ? reason.oneLine : reason.message
  return new CountersignError(failure.code, `${failure.message} (of what could be read: ${read})`, { cause: failure })
}

function nothingFound(
  image: MeantImage,
  { signatures, unreadable, looked }: Findings,
  { others }: ImageVerification,
  { wanted, hint = '' }: ImageVerificationTask,
): CountersignError {
  const where = `(${image.name}, ${image.descriptor.digest}; looked into ${looked.join('; ')})${damaged(unreadable)}`
  if (wanted !== 'signature') return new CountersignError('NOT_FOUND', `no matching attestations: none was found ${where}${hint}`)
  const what = signatures.length > others.length || unreadable.length > 0 ? 'no readable signatures found' : 'no signatures found'
  const count =
    others.length === 1 ? 'is one attestation, which is no signature' : `are ${others.length} attestations, which are no signatures`
  const beside = others.length === 0 ? '' : `; there ${count}: see verify-attestation, or --accept-attestations`
  return new ExitError(EXIT_CODE.noSignatures, 'NOT_FOUND', `${what} ${where}${beside}${hint}`)
}

function noneMatches({ unreadable }: Findings, refused: readonly RefusedSignature[]): CountersignError {
  const code = refused[0]?.error.code ?? 'SIGNATURE_INVALID'
  const withoutCertificate = refused.every(
    ({ error, found }) => error.code === 'KEY_MISMATCH' && found.entity.keyMaterial.kind !== 'certificate',
  )
  const first = withoutCertificate ? 'no certificate found on signature' : 'no matching signatures'
  const exitCode = withoutCertificate ? EXIT_CODE.noCertificate : EXIT_CODE.noMatchingSignatures
  return new ReasonsError(exitCode, code, first, reasonsOf(refused), damaged(unreadable))
}

function noAttestationMatches(
  { unreadable }: Findings,
  refused: readonly RefusedSignature[],
  { typeName = '' }: ImageVerificationTask,
): CountersignError {
  const types = refused.filter(({ error }) => error.code === 'PREDICATE_TYPE_MISMATCH').map(predicateTypeOf)
  const others = refused.filter(({ error }) => error.code !== 'PREDICATE_TYPE_MISMATCH')
  if (others.length > 0 || types.length === 0) {
    const code = others[0]?.error.code ?? 'SIGNATURE_INVALID'
    return new ReasonsError(1, code, 'no matching attestations', reasonsOf(refused), damaged(unreadable))
  }
  const found = shorten([...new Set(types)].map((type) => excerpt(type, 120).slice(1, -1))).join(',')
  return new CountersignError(
    'PREDICATE_TYPE_MISMATCH',
    `none of the attestations matched the predicate type: ${typeName}, found: ${found}${damaged(unreadable)}`,
  )
}

/** Of a statement whose signature holds. */
function predicateTypeOf({ found: { entity } }: RefusedSignature): string {
  return entity.content.kind === 'dsse-envelope' ? parseStatement(entity.content.payload).predicateType : ''
}

function reasonsOf(refused: readonly RefusedSignature[]): readonly string[] {
  return shorten(refused.map(({ found, error }) => `${found.where}: ${reasonOf(error)}`))
}

/** cosign's words for a signature that is not the key's. */
function reasonOf({ code, message }: CountersignError): string {
  return code === 'SIGNATURE_INVALID' ? `invalid signature when validating ASN.1 encoded signature: ${message}` : message
}

function damaged(unreadable: readonly string[]): string {
  return unreadable.length === 0 ? '' : `; unreadable: ${shorten(unreadable).join('; ')}`
}

/** Twenty reasons say as much as a thousand. */
function shorten(reasons: readonly string[]): string[] {
  const shown = reasons.slice(0, maxShown)
  return reasons.length > maxShown ? [...shown, `and ${reasons.length - maxShown} more`] : shown
}
