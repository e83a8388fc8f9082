/**
 * Countersign as a library: sign artifacts and verify Sigstore bundles in-process.
 *
 * ```ts
 * import { createVerifier, loadTrustedRoot, sign } from 'countersign'
 * const { bundle } = await sign(artifactBytes)
 * const verifier = createVerifier({ trust: await loadTrustedRoot(), identities: [{ subjectAlternativeName, issuer }] })
 * const evidence = verifier.verify(bundleJson, artifactBytes)
 * ```
 */
export { parseBundle, parseBundleLines } from './bundle/bundle.ts'
export type { BundleOptions } from './bundle/bundle.ts'
export { encodeBundle } from './bundle/encode-bundle.ts'
export type { PredicateDocument } from './bundle/predicate.ts'
export { parseStatement } from './bundle/statement.ts'
export type { Statement, Subject } from './bundle/statement.ts'
export type { StatementParts, StatementSubject } from './bundle/statement-writer.ts'
export type { KeyMaterial, LogEntry, SignedEntity } from './bundle/signed-entity.ts'
export { encryptPrivateKey } from './crypto/encrypted-private-key.ts'
export { generatePrivateKey, generateSigner, parsePrivateKeyPem } from './crypto/private-key.ts'
export type { KeyKind, PrivateKey, SignatureState, Signer } from './crypto/private-key.ts'
export { encodePublicKeyPem, parsePublicKeyPem } from './crypto/public-key.ts'
export type { PublicKey } from './crypto/public-key.ts'
export { loadEd25519ph } from './crypto/signature.ts'
export type { SignatureAlgorithm } from './crypto/signature.ts'
export { CountersignError, DecodingError, TransportError, UsageError, VerificationError } from './error.ts'
export type { ErrorCode } from './error.ts'
export { createSigner } from './keys/create-signer.ts'
export type { SignerOptions } from './keys/create-signer.ts'
export type { FindOptions } from './oci/find-signatures.ts'
export { findSignatures } from './oci/find-signatures.ts'
export type { Findings, FoundSignature } from './oci/found-signature.ts'
export type { ImageVerification, RefusedSignature } from './oci/image-verifier.ts'
export { openRepository } from './oci/open-repository.ts'
export type { RegistryCredentials } from './oci/registry-login.ts'
export type { RegistryOptions } from './oci/registry-session.ts'
export type { Repository } from './oci/repository.ts'
export type { SignedImage, SignImageOptions, StoreOptions } from './oci/sign-image.ts'
export { attestImage, signImage } from './oci/sign-image.ts'
export type { VerifiedImageResult, VerifyImageOptions } from './oci/verified-image.ts'
export { verifyImage } from './oci/verified-image.ts'
export type { VerifiedSignature } from './oci/verify-image.ts'
export { attest, createStatement } from './sign/attest.ts'
export { createSigningSession, sign } from './sign/sign.ts'
export type { SignedArtifact, SigningSession, SignOptions } from './sign/sign.ts'
export type { Payload } from './sign/signed-content.ts'
export { emptyTrustMaterial, loadTrustMaterial } from './trust/trust-material.ts'
export type { TrustMaterial } from './trust/trust-material.ts'
export { loadTrustedRoot } from './tuf/load-trusted-root.ts'
export type { LoadTrustedRootOptions } from './tuf/load-trusted-root.ts'
export { artifactFromBytes, artifactFromDigests } from './verify/artifact.ts'
export type { Artifact } from './verify/artifact.ts'
export { digestsNeeded, mayUseEd25519 } from './verify/digests-needed.ts'
export type { DigestsNeeded } from './verify/digests-needed.ts'
export type {
  CertificateSigner,
  Evidence,
  KeySigner,
  VerifiedCertificateTimestamp,
  VerifiedLogEntry,
  VerifiedTime,
} from './verify/evidence.ts'
export { compilePattern } from './verify/pattern.ts'
export type {
  CertificateIdentity,
  CertificatePolicy,
  KeyPolicy,
  Pattern,
  Policy,
  TextMatcher,
  Thresholds,
  VerifyOptions,
} from './verify/policy.ts'
export { createVerifier } from './verify/verifier.ts'
export type { Verifier, VerifierOptions } from './verify/verifier.ts'
export { verify } from './verify/verify.ts'
