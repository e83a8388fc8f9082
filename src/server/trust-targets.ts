/** The targets of the server's TUF repository: documents for clients of today, keys and certificates one by one for older ones. */
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { encodePem } from '../encoding/pem.ts'
import { encodeSigningConfig } from '../trust/signing-config-writer.ts'
import { encodeTrustedRoot } from '../trust/trusted-root-writer.ts'
import { targetName } from '../tuf/trusted-root.ts'
import type { PublicTrust, RekorChoice, TrustedChain, TrustedLogKey } from './public-trust.ts'
import { signingConfigOf, trustedRootOf } from './public-trust.ts'
import type { SigstoreUsage, TufTarget } from './tuf/target.ts'

/**
 * What the repository distributes.
 * @param rekor the log that `signing_config.v0.2.json` prefers; `signing_config_rekor_v2.v0.2.json` always has Rekor v2
 * @param now tells the keys in use from those of before, in epoch milliseconds
 */
export function trustTargets(trust: PublicTrust, rekor: RekorChoice, now: number): TufTarget[] {
  const usage = (kind: SigstoreUsage['usage'], { url, window }: TrustedChain | TrustedLogKey): SigstoreUsage => ({
    usage: kind,
    status: window.end !== undefined && window.end < now ? 'Expired' : 'Active',
    uri: url,
  })
  const keys = (name: string, kind: SigstoreUsage['usage'], logs: readonly TrustedLogKey[]): TufTarget[] =>
    logs.map((log, index) => text(`${numbered(name, index)}.pub`, encodePublicKeyPem(log.publicKey), usage(kind, log)))
  return [
    text(targetName.trustedRoot, encodeTrustedRoot(trustedRootOf(trust))),
    text(targetName.signingConfig, encodeSigningConfig(signingConfigOf(trust, rekor))),
    text(targetName.signingConfigRekorV2, encodeSigningConfig(signingConfigOf(trust, 'v2'))),
    ...trust.certificateAuthorities.flatMap((authority, index) => {
      const custom = usage('Fulcio', authority)
      // Older clients tell roots and intermediates apart by themselves; the names are those of the public repository.
      const intermediates = text(`fulcio_intermediate_v${index + 1}.crt.pem`, encodeChain(authority.certificates.slice(0, -1)), custom)
      const root = text(`${numbered('fulcio', index)}.crt.pem`, encodeChain(authority.certificates.slice(-1)), custom)
      return authority.certificates.length > 1 ? [root, intermediates] : [root]
    }),
    ...keys('ctfe', 'CTFE', trust.ctLogs),
    // Clients that look keys up one by one know nothing of Rekor v2.
    ...keys('rekor', 'Rekor', trust.rekorV1Logs),
    ...trust.timestampAuthorities.map((authority, index) =>
      // cosign takes a target of another name than its own three for a whole chain.
      text(`${numbered('tsa_chain', index)}.pem`, encodeChain(authority.certificates), usage('TSA', authority)),
    ),
  ]
}

/** Certificates as one PEM file. */
export function encodeChain(certificates: readonly Uint8Array[]): string {
  return certificates.map((der) => encodePem('CERTIFICATE', der)).join('')
}

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}_${index + 1}`
}

function text(name: string, contents: string, sigstore?: SigstoreUsage): TufTarget {
  return { name, contents: encodeUtf8(contents), ...(sigstore === undefined ? {} : { sigstore }) }
}
