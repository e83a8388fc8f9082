/**
 * The trust material of a verification: a trusted root file, keys and certificates given one by one as in cosign 2, or
 * the trusted root that TUF distributes. With a file, or with everything given, no connection is opened.
 */
import { digest } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { parsePublicKeyPem } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { defaultSignatureAlgorithm } from '../../crypto/signature.ts'
import { parseCertificateFile } from '../../bundle/legacy-bundle.ts'
import { encodeHex } from '../../encoding/hex.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import { decodeKeyText } from '../../keys/key-text.ts'
import { unbounded } from '../../trust/time-window.ts'
import type { TrustedCertificateAuthority, TrustedLog, TrustMaterial } from '../../trust/trust-material.ts'
import { createTimestampAuthority, emptyTrustMaterial, loadTrustMaterial } from '../../trust/trust-material.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { isSelfIssued, parseCertificate } from '../../x509/certificate.ts'
import * as oid from '../../x509/object-identifiers.ts'
import { createCertificateAuthority } from '../../x509/authority.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { readInputFile } from './input-file.ts'

export interface TrustFlags {
  readonly 'trusted-root': string
  readonly 'certificate-chain': string
  readonly 'ca-roots': string
  readonly 'ca-intermediates': string
  readonly 'timestamp-certificate-chain': string
  readonly 'rekor-url': string
}

/** Which parts of the trust material a verification will use. */
export interface TrustNeeds {
  readonly certificates: boolean
  readonly scts: boolean
  readonly logs: boolean
  readonly timestamps: boolean
  /** Whether there are timestamps to look at, demanded or not. */
  readonly givenTimestamps: boolean
}

const maxFileBytes = 4 * 1024 * 1024

/**
 * Loads what the verification needs.
 * @param loadDistributed the trust material that TUF distributes, for what is not given
 * @throws TransportError, DecodingError TRUSTED_ROOT_INVALID, TransportError TRUST_ROOT_UNAVAILABLE
 */
export async function loadTrust(
  context: CommandContext,
  flags: TrustFlags,
  needs: TrustNeeds,
  loadDistributed = fetchDistributed,
): Promise<TrustMaterial> {
  if (flags['trusted-root'] !== '') {
    const contents = readInputFile(context.cwd, flags['trusted-root'], 'the trusted root', maxFileBytes)
    const root = await loadGivenRoot(contents, flags['trusted-root'], needs)
    // The environment is for verifications without a root; who gives authorities beside it means those.
    return completed(readGivenMaterial({ cwd: context.cwd, env: {} }, flags), root)
  }
  const given = readGivenMaterial(context, flags)
  const isComplete =
    (!needs.certificates || given.certificateAuthorities.length > 0) &&
    (!needs.scts || given.certificateTransparencyLogs.length > 0) &&
    (!needs.logs || given.logs.length > 0) &&
    (!needs.timestamps || given.timestampAuthorities.length > 0)
  if (isComplete) return given
  return completed(given, await loadDistributed(context))
}

async function loadGivenRoot(contents: Uint8Array, file: string, needs: TrustNeeds): Promise<TrustMaterial> {
  try {
    return loadTrustMaterial(contents, {
      certificates: needs.certificates,
      timestampAuthorities: needs.timestamps || needs.givenTimestamps,
    })
  } catch (cause) {
    if (!(cause instanceof DecodingError)) throw cause
    const { describeMistake } = await import('./mistaken-file.ts')
    throw new DecodingError(
      cause.code,
      `the trusted root ${file} cannot be used: ${describeMistake(contents, 'a trusted root') ?? cause.message}`,
      {
        cause,
      },
    )
  }
}

/** What was given, and what a trusted root has of what was not. */
function completed(given: TrustMaterial, root: TrustMaterial): TrustMaterial {
  const orRoots = <Part>(part: readonly Part[], other: readonly Part[]): readonly Part[] => (part.length > 0 ? part : other)
  return {
    logs: orRoots(given.logs, root.logs),
    certificateTransparencyLogs: orRoots(given.certificateTransparencyLogs, root.certificateTransparencyLogs),
    certificateAuthorities: orRoots(given.certificateAuthorities, root.certificateAuthorities),
    timestampAuthorities: orRoots(given.timestampAuthorities, root.timestampAuthorities),
    unusable: root.unusable,
    ...(root.otherRoots === undefined ? {} : { otherRoots: root.otherRoots.map((other) => completed(given, other)) }),
  }
}

async function fetchDistributed(context: CommandContext): Promise<TrustMaterial> {
  const { fetchTrustedRoot } = await import('../../tuf/trusted-root.ts')
  const { bytes, warnings } = await fetchTrustedRoot({ env: context.env, signal: context.signal })
  for (const warning of warnings) warn(context, warning)
  return loadTrustMaterial(bytes)
}

type Surroundings = Pick<CommandContext, 'cwd' | 'env'>

function readGivenMaterial(context: Surroundings, flags: TrustFlags): TrustMaterial {
  const { env } = context
  return {
    ...emptyTrustMaterial,
    logs: readLogKeys(context, env['SIGSTORE_REKOR_PUBLIC_KEY'], 'SIGSTORE_REKOR_PUBLIC_KEY', flags['rekor-url']),
    certificateTransparencyLogs: readLogKeys(context, env['SIGSTORE_CT_LOG_PUBLIC_KEY_FILE'], 'SIGSTORE_CT_LOG_PUBLIC_KEY_FILE', ''),
    certificateAuthorities: readAuthorities(context, flags),
    timestampAuthorities: readTimestampAuthorities(context, flags),
  }
}

function readLogKeys(context: Surroundings, file: string | undefined, variable: string, baseUrl: string): TrustedLog[] {
  if (file === undefined || file === '') return []
  const what = `the key of ${variable},`
  const key = parsePublicKeyPem(decodeKeyText(readInputFile(context.cwd, file, what, maxFileBytes), what))
  const logId = digest('sha256', key.spki)
  return logAlgorithms(key).map((algorithm) => ({
    baseUrl,
    host: URL.canParse(baseUrl) ? new URL(baseUrl).hostname : '',
    key,
    algorithm,
    window: unbounded,
    logId,
    checkpointKeyId: undefined,
    operator: encodeHex(logId),
    checkedCheckpoints: new Map(),
  }))
}

/** A key in a file does not say over which digest its log signs: Rekor v1 takes SHA-256 on every curve. */
function logAlgorithms(key: PublicKey): readonly SignatureAlgorithm[] {
  const usual = defaultSignatureAlgorithm(key)
  return key.kind === 'ecdsa' && usual !== 'ecdsa-sha256' ? [usual, 'ecdsa-sha256'] : [usual]
}

function readAuthorities(context: Surroundings, flags: TrustFlags): TrustedCertificateAuthority[] {
  const chain = readCertificates(context, flags['certificate-chain'], 'the certificate chain')
  if (chain.length > 0) return [ownAuthority(chain)]
  const roots = readCertificates(context, flags['ca-roots'] || context.env['SIGSTORE_ROOT_FILE'] || '', 'the CA roots file')
  const intermediates = readCertificates(context, flags['ca-intermediates'], 'the CA intermediates file')
  return roots.map((root) => ownAuthority([...intermediates, root]))
}

function ownAuthority(chain: readonly Certificate[]): TrustedCertificateAuthority {
  return { uri: '', window: unbounded, authority: createCertificateAuthority(chain, oid.codeSigning), profile: 'own' }
}

function readTimestampAuthorities(context: Surroundings, flags: TrustFlags): TrustMaterial['timestampAuthorities'] {
  const file = flags['timestamp-certificate-chain'] || context.env['SIGSTORE_TSA_CERTIFICATE_FILE'] || ''
  const chain = readCertificates(context, file, 'the timestamp certificate chain')
  return timestampChains(chain).map((one) => createTimestampAuthority(one, { uri: '', window: unbounded, operator: 'given' }))
}

/**
 * The chains, anchor last, of certificates that come in any order, as cosign takes them: whoever issued itself is a root, and who is no
 * authority signs. Without a root, the file is a chain whose last certificate is trusted.
 */
function timestampChains(certificates: readonly Certificate[]): Certificate[][] {
  const authorities = certificates.filter(({ basicConstraints }) => basicConstraints?.ca === true)
  const signers = certificates.filter((certificate) => !authorities.includes(certificate))
  const roots = authorities.filter(isSelfIssued)
  if (roots.length === 0) return certificates.length === 0 ? [] : [[...certificates]]
  const intermediates = authorities.filter((certificate) => !roots.includes(certificate))
  return roots.flatMap((root) => {
    const issuers = [...intermediates, root]
    return signers.length === 0 ? [issuers] : signers.map((signer) => [signer, ...issuers])
  })
}

function readCertificates(context: Surroundings, file: string, what: string): Certificate[] {
  if (file === '') return []
  const contents = readInputFile(context.cwd, file, what, maxFileBytes)
  try {
    return parseCertificateFile(contents, what).map(parseCertificate)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new DecodingError('CERTIFICATE_INVALID', `${what} ${file} does not hold certificates: ${cause.message}`, { cause })
  }
}
