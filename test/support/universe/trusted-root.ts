/** The trusted root of a universe, as JSON that a test may bend. */
import type { TestCertificate } from './certificates.ts'
import type { TestKey } from './keys.ts'
import { digestOf, keyDetailsOf } from './keys.ts'
import type { TestLog } from './logs.ts'

/** TransparencyLogInstance of protobuf-specs. */
export interface InstanceJson {
  baseUrl: string
  hashAlgorithm: string
  publicKey: { rawBytes: string; keyDetails: string; validFor?: { start?: string; end?: string } }
  logId: { keyId: string }
  checkpointKeyId?: { keyId: string }
  operator?: string
}

/** CertificateAuthority of protobuf-specs. */
export interface AuthorityJson {
  subject: { organization: string; commonName: string }
  uri: string
  certChain: { certificates: { rawBytes: string }[] }
  validFor?: { start?: string; end?: string }
  operator?: string
}

/** TrustedRoot of protobuf-specs. */
export interface TrustedRootJson {
  mediaType: string
  tlogs: InstanceJson[]
  certificateAuthorities: AuthorityJson[]
  ctlogs: InstanceJson[]
  timestampAuthorities: AuthorityJson[]
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** A transparency log's instance. Its window has no end. */
export function logInstance(log: TestLog, start: number): InstanceJson {
  return instance(log.baseUrl, log.key, log.logId, start)
}

/** A certificate transparency log's instance: its ID is the hash of its key. */
export function ctInstance(key: TestKey, start: number, baseUrl = 'https://ct.universe.test'): InstanceJson {
  return instance(baseUrl, key, digestOf('sha256', key.spki), start)
}

/**
 * A certificate or timestamp authority.
 * @param chain leaf side first, the anchor last
 */
export function authority(commonName: string, chain: readonly TestCertificate[], start: number): AuthorityJson {
  return {
    subject: { organization: 'universe.test', commonName },
    uri: `https://${commonName}.universe.test`,
    certChain: { certificates: chain.map(({ der }) => ({ rawBytes: base64(der) })) },
    validFor: { start: new Date(start).toISOString() },
  }
}

function instance(baseUrl: string, key: TestKey, logId: Uint8Array, start: number): InstanceJson {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(key.spki), keyDetails: keyDetailsOf(key.kind), validFor: { start: new Date(start).toISOString() } },
    logId: { keyId: base64(logId) },
  }
}
