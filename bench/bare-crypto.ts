/**
 * The floor: exactly the `node:crypto` operations that a bundle cannot be verified without, on inputs prepared
 * beforehand. Keys of the trusted root are imported beforehand too, as any verifier can do; the signer's key is not.
 */
import type { KeyObject } from 'node:crypto'
import { constants, createPublicKey, verify } from 'node:crypto'
import { parseBundle } from '../src/bundle/bundle.ts'
import { preAuthenticationEncoding } from '../src/bundle/dsse.ts'
import type { LogEntry, SignedEntity } from '../src/bundle/signed-entity.ts'
import { parsePublicKey, parsePublicKeyPem } from '../src/crypto/public-key.ts'
import type { SignatureAlgorithm } from '../src/crypto/signature.ts'
import { defaultSignatureAlgorithm, digestOf, signatureAlgorithmFromOid } from '../src/crypto/signature.ts'
import { encodeBase64 } from '../src/encoding/base64.ts'
import { asBuffer, encodeUtf8, equalBytes } from '../src/encoding/bytes.ts'
import { encodeHex } from '../src/encoding/hex.ts'
import { parseSignedNote } from '../src/merkle/signed-note.ts'
import type { TrustMaterial } from '../src/trust/trust-material.ts'
import { findLogs, loadTrustMaterial } from '../src/trust/trust-material.ts'
import type { Certificate } from '../src/x509/certificate.ts'
import { parseCertificate } from '../src/x509/certificate.ts'
import { embeddedSctSignedBytes, parseEmbeddedScts } from '../src/x509/sct.ts'
import { namesSigner, parseTimestampResponse } from '../src/x509/timestamp-token.ts'
import type { BundleCase, TrustedRootFile } from './bundle-case.ts'
import type { NodeVerifier } from './contender.ts'
import { chosenImports, fastestImport } from './key-import.ts'

/** The floor in the race. */
export function createBareCrypto(): NodeVerifier {
  const loaded = new Map<TrustedRootFile, TrustMaterial>()
  return {
    prepare: (testCase) => {
      const trust = loaded.get(testCase.trustedRoot) ?? loadTrustMaterial(testCase.trustedRoot.json)
      loaded.set(testCase.trustedRoot, trust)
      const operations = bareOperations(testCase, trust)
      return () => {
        for (const { kind, run } of operations) if (!run()) throw new Error(`the ${kind} does not verify`)
      }
    },
    forget: () => {},
    notes: chosenImports,
  }
}

/** What an operation is for. */
export type OperationKind =
  | 'leaf certificate'
  | 'SCT'
  | 'log promise'
  | 'checkpoint'
  | 'timestamp'
  | 'signature and key import'
  | 'signature'

/** One operation, ready to run. */
export interface BareOperation {
  readonly kind: OperationKind
  readonly run: () => boolean
  readonly input: BareInput
}

/** What an operation works on, for a program of its own. */
export interface BareInput {
  readonly hash: string | null
  readonly spki: Uint8Array
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/**
 * The operations that a bundle needs. Each was run once, and was true. Tokens of an authority that is not in the trust
 * material by itself cost only their own signature here, so that the floor is rather too low than too high.
 */
export function bareOperations(testCase: BundleCase, trust: TrustMaterial): BareOperation[] {
  const entity = parseBundle(testCase.json)
  const operations = [
    ...signatureOperations(testCase, entity),
    ...certificateOperations(entity, trust),
    ...logOperations(entity, trust),
    ...timestampOperations(entity, trust),
  ]
  for (const { kind, run } of operations) if (!run()) throw new Error(`${testCase.name}: the ${kind} does not verify`)
  return operations
}

function signatureOperations({ signer, artifact }: BundleCase, { content, keyMaterial }: SignedEntity): BareOperation[] {
  const signed = content.kind === 'dsse-envelope' ? preAuthenticationEncoding(content.payloadType, content.payload) : bytesOf(artifact)
  if (signer.kind === 'key') {
    const key = parsePublicKeyPem(signer.pem)
    return [verification('signature', key, defaultSignatureAlgorithm(key), signed, content.signature)]
  }
  if (keyMaterial.kind !== 'certificate') throw new Error('a bundle with a certificate was expected')
  const key = parsePublicKey(parseCertificate(keyMaterial.leaf).spki)
  const importKey = fastestImport(key, keyMaterial.leaf)
  const hash = digestOf(defaultSignatureAlgorithm(key)) ?? null
  const input = { hash, spki: key.spki, signed, signature: content.signature }
  return [{ kind: 'signature and key import', run: () => verify(hash, signed, importKey(), content.signature), input }]
}

function bytesOf(artifact: BundleCase['artifact']): Uint8Array {
  if (artifact.kind === 'bytes') return artifact.bytes
  throw new Error('a plain signature can only be checked by a bare operation with the bytes of the artifact')
}

function certificateOperations({ keyMaterial }: SignedEntity, trust: TrustMaterial): BareOperation[] {
  if (keyMaterial.kind !== 'certificate') return []
  const leaf = parseCertificate(keyMaterial.leaf)
  const issuer = issuerOf(leaf, trust)
  const { oid, parameters } = leaf.signatureAlgorithm
  const operations = [verification('leaf certificate', issuer, signatureAlgorithmFromOid(oid, parameters), leaf.tbs, leaf.signature)]
  for (const sct of parseEmbeddedScts(leaf)) {
    const [log] = findLogs(trust.certificateTransparencyLogs, sct.logId)
    if (log !== undefined)
      operations.push(verification('SCT', log.key, log.algorithm, embeddedSctSignedBytes(sct, leaf, issuer.spki), sct.signature))
  }
  return operations
}

/** The certificate authority that signed the leaf, among those of its name. */
function issuerOf(leaf: Certificate, trust: TrustMaterial): Certificate {
  const { oid, parameters } = leaf.signatureAlgorithm
  const issuer = trust.certificateAuthorities
    .flatMap(({ authority }) => [...authority.intermediates, authority.anchor])
    .filter(({ subject }) => equalBytes(subject, leaf.issuer))
    .find((candidate) =>
      verification('leaf certificate', candidate, signatureAlgorithmFromOid(oid, parameters), leaf.tbs, leaf.signature).run(),
    )
  if (issuer === undefined) throw new Error('the trusted root has not issued the certificate')
  return issuer
}

function logOperations({ logEntries }: SignedEntity, trust: TrustMaterial): BareOperation[] {
  const operations: BareOperation[] = []
  for (const entry of logEntries) {
    const [log] = findLogs(trust.logs, entry.logId)
    if (log === undefined) continue
    if (entry.signedEntryTimestamp !== undefined)
      operations.push(verification('log promise', log.key, log.algorithm, promiseOf(entry), entry.signedEntryTimestamp))
    if (entry.inclusionProof?.checkpoint === undefined) continue
    const { signedBytes, signatures } = parseSignedNote(entry.inclusionProof.checkpoint)
    const candidates = signatures.map(({ signature }) => verification('checkpoint', log.key, log.algorithm, signedBytes, signature))
    operations.push(...candidates.filter(({ run }) => run()).slice(0, 1))
  }
  return operations
}

function promiseOf(entry: LogEntry): Uint8Array {
  const body = encodeBase64(entry.body)
  return encodeUtf8(
    `{"body":"${body}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${entry.logIndex}}`,
  )
}

function timestampOperations({ timestamps }: SignedEntity, trust: TrustMaterial): BareOperation[] {
  return timestamps.flatMap((bytes) => {
    const token = parseTimestampResponse(bytes)
    const known = trust.timestampAuthorities.flatMap(({ leaf }) => leaf ?? [])
    const signer = [...known, ...token.certificates.map(parseCertificate)].find((certificate) => namesSigner(token, certificate))
    if (signer === undefined) return []
    const { signatureAlgorithm, signedAttributes, signature } = token.signer
    return [
      verification(
        'timestamp',
        signer,
        signatureAlgorithmFromOid(signatureAlgorithm.oid, signatureAlgorithm.parameters),
        signedAttributes,
        signature,
      ),
    ]
  })
}

/** The key of a certificate or log, imported before anything is measured. */
function importSpki({ spki }: { readonly spki: Uint8Array }): KeyObject {
  return createPublicKey({ key: asBuffer(spki), format: 'der', type: 'spki' })
}

function verification(
  kind: OperationKind,
  signer: { readonly spki: Uint8Array },
  algorithm: SignatureAlgorithm,
  signed: Uint8Array,
  signature: Uint8Array,
): BareOperation {
  const hash = digestOf(algorithm) ?? null
  const key = importSpki(signer)
  const input = { hash, spki: signer.spki, signed, signature }
  if (!algorithm.startsWith('rsa-pss')) return { kind, run: () => verify(hash, signed, key, signature), input }
  const padded = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
  return { kind, run: () => verify(hash, signed, padded, signature), input }
}
