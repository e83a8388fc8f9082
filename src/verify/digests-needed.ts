/** Which digests of an artifact a verification will ask for, so that a large one is read and hashed only once. */
import { parseStatement } from '../bundle/statement.ts'
import type { SignedEntity } from '../bundle/signed-entity.ts'
import type { DigestAlgorithm } from '../crypto/digest.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import { parsePublicKey } from '../crypto/public-key.ts'
import { defaultSignatureAlgorithm, digestOf } from '../crypto/signature.ts'
import { asBuffer } from '../encoding/bytes.ts'
import { DecodingError } from '../error.ts'
import { parseCertificate } from '../x509/certificate.ts'

/** What verifying needs to know of an artifact that is too large to be held. */
export interface DigestsNeeded {
  readonly algorithms: readonly DigestAlgorithm[]
  /** Whether the signature may be one (pure Ed25519) that only the whole artifact can verify. */
  readonly wholeArtifact: boolean
}

/**
 * What any of several entities will ask for, since an artifact that comes through a pipe can be read once only. One that is malformed asks
 * for nothing: it fails by itself.
 * @param signed the digest that the key has signed, where the caller knows it
 * @throws DecodingError when all of them are malformed
 */
export function digestsNeededByAny(entities: readonly SignedEntity[], key?: PublicKey, signed?: DigestAlgorithm): DigestsNeeded {
  const needs: DigestsNeeded[] = []
  let failure: DecodingError | undefined
  for (const entity of entities) {
    try {
      needs.push(digestsNeeded(entity, key))
    } catch (error) {
      if (!(error instanceof DecodingError)) throw error
      failure ??= error
    }
  }
  if (failure !== undefined && needs.length === 0) throw failure
  return {
    algorithms: [...new Set([...needs.flatMap(({ algorithms }) => algorithms), ...(signed === undefined ? [] : [signed])])],
    wholeArtifact: needs.some(({ wholeArtifact }) => wholeArtifact),
  }
}

/**
 * Looks at an entity, without verifying anything.
 * @param key the caller's key, when the signature is to be checked with one
 * @throws DecodingError for a malformed certificate or statement
 */
export function digestsNeeded(entity: SignedEntity, key?: PublicKey): DigestsNeeded {
  const { content, keyMaterial } = entity
  const algorithms = new Set<DigestAlgorithm>()
  if (content.kind === 'dsse-envelope') {
    for (const subject of parseStatement(content.payload).subjects) {
      for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) if (subject.digests.has(algorithm)) algorithms.add(algorithm)
    }
    if (algorithms.size === 0) algorithms.add('sha256')
    return { algorithms: [...algorithms], wholeArtifact: false }
  }
  if (content.digest !== undefined) algorithms.add(content.digest.algorithm)
  const signingKey = key ?? (keyMaterial.kind === 'certificate' ? parsePublicKey(parseCertificate(keyMaterial.leaf).spki) : undefined)
  const usual = signingKey === undefined ? undefined : digestOf(defaultSignatureAlgorithm(signingKey))
  if (usual !== undefined) algorithms.add(usual)
  if (signingKey?.kind === 'ed25519') algorithms.add('sha512')
  // A key service decides itself what its RSA keys sign, and a signature from before bundles does not say.
  if (signingKey?.kind === 'rsa' && content.digest === undefined) for (const one of ['sha384', 'sha512'] as const) algorithms.add(one)
  // Logs of the first version hold SHA-256 whatever the key.
  if (usual !== 'sha256' && (content.digest === undefined || content.digest.algorithm === 'sha256')) algorithms.add('sha256')
  return { algorithms: [...algorithms], wholeArtifact: signingKey?.kind === 'ed25519' }
}

/** OBJECT IDENTIFIER 1.3.101.112, as it stands in the key of a certificate; one character for each byte. */
const ed25519Identifier = '\u0006\u0003+ep'

/**
 * Whether the signature may be of Ed25519 or Ed25519ph, so that `loadEd25519ph` must be awaited before verifying. Errs on
 * the side of yes: a certificate is not parsed for this.
 */
export function mayUseEd25519({ keyMaterial }: SignedEntity, key?: PublicKey): boolean {
  if (key !== undefined) return key.kind === 'ed25519'
  return keyMaterial.kind === 'certificate' && asBuffer(keyMaterial.leaf).toString('latin1').includes(ed25519Identifier)
}
