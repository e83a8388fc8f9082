/** Verifying what the universe signed, with its own trusted root and identity unless a test says otherwise. */
import type { BundleOptions } from '../../../src/bundle/bundle.ts'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { TrustMaterial } from '../../../src/trust/trust-material.ts'
import { artifactFromBytes } from '../../../src/verify/artifact.ts'
import type { Evidence } from '../../../src/verify/evidence.ts'
import type { Policy, VerifyOptions } from '../../../src/verify/policy.ts'
import { verify } from '../../../src/verify/verify.ts'
import type { SignedBundle, TrustedRootJson } from './universe.ts'
import { identity, issuer } from './universe.ts'

export interface Circumstances {
  /** The bundle, where it is not the one that was signed. */
  readonly bundle?: object | string
  readonly trust?: TrustMaterial
  /** Changes the trusted root. */
  readonly bendRoot?: (root: TrustedRootJson) => void
  readonly policy?: Partial<Policy>
  readonly options?: VerifyOptions
  readonly bundleOptions?: BundleOptions
}

/** The policy under which a bundle of the universe verifies. */
export function policyFor(signed: SignedBundle): Policy {
  return {
    artifact: artifactFromBytes(signed.artifact),
    signer:
      signed.certificate.length === 0
        ? { kind: 'key', key: parsePublicKey(signed.key.spki) }
        : { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] },
  }
}

/** Verifies a bundle of the universe. */
export function verifySigned(signed: SignedBundle, circumstances: Circumstances = {}): Evidence {
  const { bundle = signed.json } = circumstances
  const trust = circumstances.trust ?? loadTrustMaterial(signed.universe.trustedRoot(circumstances.bendRoot))
  const entity = parseBundle(typeof bundle === 'string' ? bundle : JSON.stringify(bundle), circumstances.bundleOptions)
  return verify(entity, trust, { ...policyFor(signed), ...circumstances.policy }, circumstances.options)
}

/** The code and message of what a call throws; undefined when it does not. */
export function refusalOf(call: () => unknown): { readonly code: string; readonly message: string } | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    return { code: String(error.code), message: error.message }
  }
}
