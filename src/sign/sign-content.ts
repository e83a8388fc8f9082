/** One signature from beginning to end: made, witnessed, put together, and verified before anybody gets it. */
import { parseBundle } from '../bundle/bundle.ts'
import { encodeBundle } from '../bundle/encode-bundle.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import { keyHint } from '../crypto/public-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { loadEd25519ph } from '../crypto/signature.ts'
import { CountersignError, VerificationError } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { Evidence } from '../verify/evidence.ts'
import type { Policy, VerifyOptions } from '../verify/policy.ts'
import { verify } from '../verify/verify.ts'
import type { Certificate } from '../x509/certificate.ts'
import { issuerOf } from '../x509/sigstore-extensions.ts'
import type { SignedContent } from './signed-content.ts'
import type { SigningServices } from './signing-services.ts'
import { noServices } from './signing-services.ts'
import type { Testimony, WitnessOptions } from './witness.ts'

/** Who signs: a key, and the certificate for it where there is one. */
export interface SigningIdentity {
  readonly signer: Signer
  readonly certificate: Certificate | undefined
  /** DER of what goes into the bundle behind the certificate: intermediates of an authority of one's own. Default none. */
  readonly chain?: readonly Uint8Array[]
}

export interface CompleteOptions extends WitnessOptions {
  readonly services: SigningServices
  readonly trust: TrustMaterial
  /** How many SCTs the certificate must have; default 1. */
  readonly scts?: number
  /** Epoch milliseconds: when a certificate must be valid whose signature has no other time. */
  readonly now: number
  /**
   * What comes of the answer of a log or a timestamp authority that the trust material does not have: nothing is signed, or the evidence has a
   * note of it. Default `refused`. A wrong answer of one that it has is always refused.
   */
  readonly strangers?: Strangers
}

export type Strangers = 'refused' | 'noted'

/** A signature with everything that proves it. */
export interface SignedResult {
  readonly entity: SignedEntity
  /** What the verification of the finished signature established. */
  readonly evidence: Evidence
}

/**
 * Makes a signature with what proves it.
 * @param sign makes the signature
 * @throws VerificationError in the code of the check that failed when what the services answered does not verify; what `sign` and the
 * clients throw
 */
export async function signContent(
  identity: SigningIdentity,
  sign: (signer: Signer) => Promise<SignedContent>,
  options: CompleteOptions,
): Promise<SignedResult> {
  const { signer, certificate, chain = [] } = identity
  if (signer.publicKey.kind === 'ed25519') await loadEd25519ph()
  const signed = await sign(signer)
  const testimony = await witnessed(signed, identity, options)
  const entity: SignedEntity = {
    content: signed.content,
    keyMaterial:
      certificate === undefined
        ? { kind: 'public-key', hint: keyHint(signer.publicKey) }
        : { kind: 'certificate', leaf: certificate.bytes, chain },
    ...testimony,
    format: '0.3',
  }
  return verifyOwn(entity, signed, identity, options)
}

/** Without witnesses nothing that speaks to them is loaded. */
async function witnessed(signed: SignedContent, { signer, certificate }: SigningIdentity, options: CompleteOptions): Promise<Testimony> {
  const { services } = options
  if (services.logs.length === 0 && services.timestampAuthorities.length === 0) return { logEntries: [], timestamps: [] }
  const { witness } = await import('./witness.ts')
  return witness(signed, signer, certificate?.bytes, services, options)
}

/** The parser and the verifier of every other bundle look at this one, as it will be written, before it is handed out. */
function verifyOwn(made: SignedEntity, { artifact }: SignedContent, identity: SigningIdentity, options: CompleteOptions): SignedResult {
  try {
    const hasChain = identity.chain !== undefined && identity.chain.length > 0
    const entity = parseBundle(encodeBundle(made, { certificateChain: hasChain }), { allowCertificateChain: hasChain })
    return { entity, evidence: verifyMade(entity, { artifact, signer: ownSigner(identity) }, identity, options) }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    const { certificateAuthority, logs, timestampAuthorities } = options.services
    const isOnlySigned = certificateAuthority === undefined && logs.length === 0 && timestampAuthorities.length === 0
    const what = isOnlySigned ? 'it does not verify' : 'what the services answered does not verify against the trusted root'
    const message = `the signature was made, but ${what}, so nothing was written: ${cause.message}`
    throw new VerificationError(cause.code, message, { cause })
  }
}

function verifyMade(entity: SignedEntity, policy: Policy, identity: SigningIdentity, options: CompleteOptions): Evidence {
  try {
    const evidence = verify(entity, options.trust, policy, ownOptions(identity, options))
    const missing = missingWitness(evidence, options.services)
    if (missing === undefined) return evidence
    throw missing
  } catch (error) {
    if (options.strangers !== 'noted' || !(error instanceof VerificationError)) throw error
    // What is left to say of witnesses is what those that are known answered.
    const evidence = verify(entity, options.trust, policy, ownOptions(identity, { ...options, services: noServices }))
    // Where none of them is a stranger, what is missing is missing from the answer of one that is known.
    if (missingWitness(evidence, options.services) === undefined) throw error
    return evidence
  }
}

/** Verifiers pass over witnesses that they do not know. Whoever asked for so many wants the testimony of each. */
function missingWitness({ logEntries, times, notes }: Evidence, services: SigningServices): VerificationError | undefined {
  const { logs, timestampAuthorities } = services
  const timestamps = times.filter(({ source }) => source === 'timestamp-authority')
  const because = notes.length === 0 ? '' : ` (${notes.join('; ')})`
  if (logEntries.length < logs.length) {
    const message = `${logs.length} transparency logs were asked, and the entries of ${logEntries.length} verify${because}`
    return new VerificationError('LOG_ENTRY_UNVERIFIED', message)
  }
  if (timestamps.length < timestampAuthorities.length) {
    const message = `${timestampAuthorities.length} timestamp authorities were asked, and the timestamps of ${timestamps.length} verify${because}`
    return new VerificationError('TIME_UNVERIFIED', message)
  }
  return undefined
}

function ownSigner({ signer, certificate }: SigningIdentity): Policy['signer'] {
  if (certificate === undefined) return { kind: 'key', key: signer.publicKey, algorithm: signer.algorithm }
  const name = certificate.subjectAlternativeNames.find(({ kind }) => kind !== 'other')
  return {
    kind: 'certificate',
    identities: [{ subjectAlternativeName: name?.value ?? '', issuer: issuerOf(certificate.sigstore) ?? '' }],
  }
}

function ownOptions({ certificate }: SigningIdentity, { services, scts = 1, now }: CompleteOptions): VerifyOptions {
  const { logs, timestampAuthorities } = services
  const isTimed = timestampAuthorities.length > 0 || logs.some(({ apiVersion }) => apiVersion === 1)
  return {
    thresholds: {
      logEntries: logs.length > 0 ? 1 : 0,
      signedTimestamps: timestampAuthorities.length > 0 ? 1 : 0,
      times: certificate !== undefined && isTimed ? 1 : 0,
      scts,
    },
    ...(isTimed || certificate === undefined ? {} : { currentTime: new Date(now) }),
  }
}
