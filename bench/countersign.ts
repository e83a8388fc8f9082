/** Countersign in the race. */
import type { TrustMaterial } from '../src/trust/trust-material.ts'
import { loadTrustMaterial } from '../src/trust/trust-material.ts'
import type { Artifact } from '../src/verify/artifact.ts'
import { artifactFromDigests } from '../src/verify/artifact.ts'
import { createVerifier } from '../src/verify/verifier.ts'
import type { BundleCase, TrustedRootFile } from './bundle-case.ts'
import type { NodeVerifier } from './contender.ts'

/** Countersign's verifier, with trust material loaded once for each trusted root. */
export function createCountersign(): NodeVerifier {
  const loaded = new Map<TrustedRootFile, TrustMaterial>()
  const trustOf = (root: TrustedRootFile): TrustMaterial => {
    const known = loaded.get(root) ?? loadTrustMaterial(root.json)
    loaded.set(root, known)
    return known
  }
  return {
    prepare: (testCase) => {
      const { signer, json } = testCase
      const who =
        signer.kind === 'key'
          ? { key: signer.pem }
          : { identities: [{ subjectAlternativeName: signer.subjectAlternativeName, issuer: signer.issuer }] }
      const verifier = createVerifier({ trust: trustOf(testCase.trustedRoot), ...who })
      const artifact = artifactOf(testCase)
      return () => {
        verifier.verify(json, artifact)
      }
    },
    // All that is kept from one bundle to the next: a checkpoint whose signature was checked.
    forget: () => {
      for (const trust of loaded.values()) for (const log of trust.logs) log.checkedCheckpoints.clear()
    },
    notes: () => [],
  }
}

function artifactOf({ artifact }: BundleCase): Uint8Array | Artifact {
  return artifact.kind === 'bytes' ? artifact.bytes : artifactFromDigests({ [artifact.algorithm]: artifact.digest })
}
