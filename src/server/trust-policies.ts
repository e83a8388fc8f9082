/** Policies for Kubernetes that accept what a server's users sign: to be completed with images and identities. */
import { stringify } from 'yaml'
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { encodeBase64 } from '../encoding/base64.ts'
import type { PublicTrust } from './public-trust.ts'
import { encodeChain } from './trust-targets.ts'

/** What an administrator replaces. */
const exampleImages = 'registry.example.com/*'
const exampleSubject = 'release@example.com'

/** A ClusterPolicy of Kyverno that verifies keyless signatures. */
export function encodeKyvernoPolicy(trust: PublicTrust): string {
  const [rekor] = trust.rekorV1Logs
  const keys = (logs: PublicTrust['ctLogs']): string => logs.map(({ publicKey }) => encodePublicKeyPem(publicKey)).join('')
  const chains = (authorities: PublicTrust['certificateAuthorities']): string =>
    authorities.map(({ certificates }) => encodeChain(certificates)).join('')
  const keyless = {
    subject: exampleSubject,
    issuer: issuerOf(trust),
    roots: chains(trust.certificateAuthorities),
    // Without a Rekor v1 log the time comes from the timestamp authority.
    rekor: rekor === undefined ? { url: trust.origin, ignoreTlog: true } : { url: rekor.url, pubkey: keys(trust.rekorV1Logs) },
    ctlog: {
      pubkey: keys(trust.ctLogs),
      ...(trust.timestampAuthorities.length === 0 ? {} : { tsaCertChain: chains(trust.timestampAuthorities.slice(0, 1)) }),
    },
  }
  const rule = {
    name: 'keyless-signature',
    match: { any: [{ resources: { kinds: ['Pod'] } }] },
    verifyImages: [{ imageReferences: [exampleImages], failureAction: 'Enforce', attestors: [{ count: 1, entries: [{ keyless }] }] }],
  }
  const policy = {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: 'verify-signatures' },
    spec: { webhookConfiguration: { timeoutSeconds: 30 }, rules: [rule] },
  }
  return `# Kyverno: replace imageReferences, subject and issuer by yours, then  kubectl apply -f kyverno.yaml\n${toYaml(policy)}`
}

/**
 * A TrustRoot and a ClusterImagePolicy of policy-controller, which follows the TUF repository by itself.
 * @param tufRoot the root.json to start from
 */
export function encodePolicyControllerPolicy(trust: PublicTrust, tufRoot: Uint8Array): string {
  const trustRootRef = 'private-sigstore'
  const root = {
    apiVersion: 'policy.sigstore.dev/v1alpha1',
    kind: 'TrustRoot',
    metadata: { name: trustRootRef },
    spec: { remote: { root: encodeBase64(tufRoot), mirror: trust.tufUrl, targets: 'targets' } },
  }
  const [fulcio] = trust.certificateAuthorities
  const [rekor] = trust.rekorV1Logs
  const keyless = {
    ...(fulcio === undefined ? {} : { url: fulcio.url }),
    trustRootRef,
    identities: [{ issuer: issuerOf(trust), subject: exampleSubject }],
  }
  const witness = rekor === undefined ? { rfc3161timestamp: { trustRootRef } } : { ctlog: { url: rekor.url, trustRootRef } }
  const policy = {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'verify-signatures' },
    spec: { images: [{ glob: exampleImages }], authorities: [{ name: 'keyless', keyless, ...witness }] },
  }
  const hint = '# policy-controller: replace glob, subject and issuer by yours, then  kubectl apply -f policy-controller.yaml\n'
  return `${hint}${toYaml(root)}---\n${toYaml(policy)}`
}

function issuerOf({ oidcIssuer, origin }: PublicTrust): string {
  return oidcIssuer?.url ?? origin
}

function toYaml(document: object): string {
  return stringify(document, { lineWidth: 0 })
}
