/** Everything a client needs to trust a server, as files. All of it is public. */
import { encodePublicKeyPem } from '../crypto/public-key.ts'
import { encodeUtf8 } from '../encoding/bytes.ts'
import { encodeClientTrustConfig } from '../trust/client-trust-config.ts'
import { encodeSigningConfig } from '../trust/signing-config-writer.ts'
import { encodeTrustedRoot } from '../trust/trusted-root-writer.ts'
import { targetName } from '../tuf/trusted-root.ts'
import type { PublicTrust, RekorChoice, TrustedLogKey } from './public-trust.ts'
import { clientTrustConfigOf, signingConfigOf, trustedRootOf } from './public-trust.ts'
import { encodePowerShellEnvironment, encodeShellEnvironment } from './trust-environment.ts'
import { encodeKyvernoPolicy, encodePolicyControllerPolicy } from './trust-policies.ts'
import { encodeTrustReadme } from './trust-readme.ts'
import { encodeChain } from './trust-targets.ts'

/** A file to write. */
export interface ExportedFile {
  readonly name: string
  readonly contents: Uint8Array
}

export interface TrustExportOptions {
  /** The log that the signing configuration prefers. */
  readonly rekor: RekorChoice
  /** `1.root.json` of the TUF repository: where trust in it starts. */
  readonly tufRoot: Uint8Array
}

/** The files of an export. PEM files hold all keys of a kind, the one in use first; kinds that the server lacks have none. */
export function exportTrust(trust: PublicTrust, { rekor, tufRoot }: TrustExportOptions): ExportedFile[] {
  const chains = (authorities: PublicTrust['certificateAuthorities']): string =>
    authorities.map(({ certificates }) => encodeChain(certificates)).join('')
  const keys = (logs: readonly TrustedLogKey[]): string => logs.map(({ publicKey }) => encodePublicKeyPem(publicKey)).join('')
  const texts: Readonly<Record<string, string>> = {
    'README.txt': encodeTrustReadme(trust, tufRoot),
    [targetName.trustedRoot]: encodeTrustedRoot(trustedRootOf(trust)),
    [targetName.signingConfig]: encodeSigningConfig(signingConfigOf(trust, rekor)),
    [targetName.signingConfigRekorV2]: encodeSigningConfig(signingConfigOf(trust, 'v2')),
    'client_trust_config.json': encodeClientTrustConfig(clientTrustConfigOf(trust, rekor)),
    'env.sh': encodeShellEnvironment(trust),
    'env.ps1': encodePowerShellEnvironment(trust),
    'fulcio.pem': chains(trust.certificateAuthorities),
    'ctfe.pub': keys(trust.ctLogs),
    'rekor.pub': keys(trust.rekorV1Logs),
    'rekor-v2.pub': keys(trust.rekorV2Logs),
    'tsa.pem': chains(trust.timestampAuthorities),
    'kyverno.yaml': encodeKyvernoPolicy(trust),
    'policy-controller.yaml': encodePolicyControllerPolicy(trust, tufRoot),
  }
  const files = Object.entries(texts).map(([name, text]) => ({ name, contents: encodeUtf8(text) }))
  return [...files.filter(({ contents }) => contents.length > 0), { name: 'root.json', contents: tufRoot }]
}
