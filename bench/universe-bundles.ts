/** Bundles of the test universe: all with certificates, keys, artifacts and checkpoints of their own, so that no cache helps. */
import { randomBytes } from 'node:crypto'
import { newKey } from '../test/support/universe/keys.ts'
import type { SignedBundle, SigningOptions } from '../test/support/universe/universe.ts'
import { identity, issuer, signBlob, signStatement, universeOf } from '../test/support/universe/universe.ts'
import type { BundleSet, TrustedRootFile } from './bundle-case.ts'

const artifactSize = 1024
const treeSize = 1024
/** Of the bundles in a Rekor v1 log, how many are attestations: one in this many. */
const attestationEvery = 4

/**
 * Signs as the public instance does: P-384 certificate authority, P-256 signers and one SCT. One set is logged in Rekor v1
 * (P-256; promise, proof and checkpoint, no timestamp), the other in Rekor v2 (Ed25519; proof and checkpoint) with a
 * timestamp (P-256), and without attestations, since `@sigstore/verify` 3.1 takes those of Rekor v2 for something else.
 * @param count bundles in each set
 */
export function universeSets(count: number): BundleSet[] {
  const trustedRoot = { json: Buffer.from(universeOf().trustedRoot()) }
  return (['v1', 'v2'] as const).map((log) => ({
    name: `universe, Rekor ${log}`,
    cases: Array.from({ length: count }, (_, index) => caseOf(log, index, trustedRoot)),
  }))
}

function caseOf(log: 'v1' | 'v2', index: number, trustedRoot: TrustedRootFile): BundleSet['cases'][number] {
  const isAttestation = log === 'v1' && index % attestationEvery === 0
  const signed = sign(log, index, isAttestation)
  return {
    name: `${isAttestation ? 'attestation' : 'signature'} ${index} in Rekor ${log}`,
    json: Buffer.from(signed.json),
    trustedRoot,
    artifact: { kind: 'bytes', bytes: signed.artifact },
    signer: { kind: 'identity', subjectAlternativeName: identity, issuer },
  }
}

function sign(log: 'v1' | 'v2', index: number, isAttestation: boolean): SignedBundle {
  const options: SigningOptions = {
    log,
    key: newKey('p256'),
    certificate: { sigstore: workflowExtensions },
    entry: { treeSize, leafIndex: index % treeSize },
  }
  return (isAttestation ? signStatement : signBlob)(options, randomBytes(artifactSize))
}

/** What a certificate of a GitHub workflow says, by the numbers of Fulcio's extensions. */
const workflowExtensions: Readonly<Record<number, string>> = {
  1: issuer,
  2: 'push',
  3: 'c0'.repeat(20),
  4: 'Release',
  5: 'universe/app',
  6: 'refs/heads/main',
  8: issuer,
  9: identity,
  10: 'c0'.repeat(20),
  11: 'github-hosted',
  12: 'https://github.com/universe/app',
  13: 'c0'.repeat(20),
  14: 'refs/heads/main',
  15: '123456789',
  16: 'https://github.com/universe',
  17: '12345678',
  18: identity,
  19: 'c0'.repeat(20),
  20: 'push',
  21: 'https://github.com/universe/app/actions/runs/1234567890/attempts/1',
  22: 'public',
}
