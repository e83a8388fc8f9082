/** `@sigstore/verify` in the race, used as its own command line uses it. */
import { createPublicKey } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import type { TrustMaterial, VerificationPolicy } from '@sigstore/verify'
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify'
import { asBuffer } from '../src/encoding/bytes.ts'
import type { BundleCase, TrustedRootFile } from './bundle-case.ts'
import type { NodeVerifier } from './contender.ts'

/** sigstore-js's verifier, with trust material made once for each trusted root, and for each managed key. */
export function createSigstoreJs(): NodeVerifier {
  const made = new Map<TrustedRootFile, TrustMaterial>()
  const trustOf = ({ trustedRoot, signer }: BundleCase): TrustMaterial => {
    const known = made.get(trustedRoot) ?? toTrustMaterial(TrustedRoot.fromJSON(parse(trustedRoot.json)))
    made.set(trustedRoot, known)
    if (signer.kind === 'identity') return known
    const publicKey = createPublicKey(signer.pem)
    return { ...known, publicKey: () => ({ publicKey, validFor: () => true }) }
  }
  return {
    prepare: (testCase) => {
      const { json, artifact } = testCase
      const verifier = new Verifier(trustOf(testCase))
      const policy = policyOf(testCase)
      // An attestation needs no artifact here, and the artifact of a plain signature is always at hand as bytes.
      const bytes = artifact.kind === 'bytes' ? Buffer.from(artifact.bytes) : undefined
      return () => {
        verifier.verify(toSignedEntity(bundleFromJSON(parse(json)), bytes), policy)
      }
    },
    forget: () => {},
    notes: () => [],
  }
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(asBuffer(json).toString('utf8'))
}

function policyOf({ signer }: BundleCase): VerificationPolicy | undefined {
  if (signer.kind === 'key') return undefined
  // It takes a pattern, which matches anywhere.
  const subjectAlternativeName = `^${signer.subjectAlternativeName.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`
  return { subjectAlternativeName, extensions: { issuer: signer.issuer } }
}
