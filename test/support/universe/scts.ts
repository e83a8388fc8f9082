/** Signed certificate timestamps (RFC 6962 section 3.2), right and wrong. */
import { concatBytes } from '../../../src/encoding/bytes.ts'
import { tlsOpaque, tlsUint } from '../../../src/encoding/tls.ts'
import type { TestKey } from './keys.ts'
import { digestOf, signWith } from './keys.ts'

/** An SCT and what is wrong with it. Times are milliseconds since 1970. */
export interface SctOptions {
  readonly log: TestKey
  readonly time: number
  readonly extensions?: Uint8Array
  /** Signs with another key than the log's, whose ID the SCT still carries. */
  readonly signer?: TestKey
  /** Claims another issuer than the one that signed. */
  readonly issuerSpki?: Uint8Array
  /** Signs another to-be-signed certificate than the one it is put in. */
  readonly tbs?: Uint8Array
  /** Names another log than the one that signed. */
  readonly logId?: Uint8Array
  /** Another version than v1, which is 0. */
  readonly version?: number
  /** The hash and signature algorithm that it states (RFC 5246 section 7.4.1.4.1). */
  readonly algorithm?: readonly [hash: number, signature: number]
  /** Bytes behind its end. */
  readonly behind?: Uint8Array
}

/** The SCT over a certificate before SCTs are added to it. */
export function embeddedSct(sct: SctOptions, issuerSpki: Uint8Array, tbs: Uint8Array): Uint8Array {
  const issuerKeyHash = digestOf('sha256', sct.issuerSpki ?? issuerSpki)
  return serialiseSct(sct, concatBytes(tlsUint(1, 2), issuerKeyHash, tlsOpaque(sct.tbs ?? tbs, 3)))
}

/** A detached SCT over a whole certificate. */
export function detachedSct(sct: SctOptions, certificate: Uint8Array): Uint8Array {
  return serialiseSct(sct, concatBytes(tlsUint(0, 2), tlsOpaque(certificate, 3)))
}

/** SignedCertificateTimestampList. */
export function sctList(scts: readonly Uint8Array[]): Uint8Array {
  return tlsOpaque(concatBytes(...scts.map((sct) => tlsOpaque(sct, 2))), 2)
}

function serialiseSct(sct: SctOptions, entry: Uint8Array): Uint8Array {
  const version = Uint8Array.of(sct.version ?? 0)
  const time = tlsUint(sct.time, 8)
  const extensions = tlsOpaque(sct.extensions ?? new Uint8Array(0), 2)
  const certificateTimestamp = Uint8Array.of(0)
  const signed = concatBytes(version, certificateTimestamp, time, entry, extensions)
  const algorithm = Uint8Array.from(sct.algorithm ?? [4, sct.log.kind === 'rsa' ? 1 : 3])
  const signature = tlsOpaque(signWith(sct.signer ?? sct.log, signed, 'sha256'), 2)
  return concatBytes(
    version,
    sct.logId ?? digestOf('sha256', sct.log.spki),
    time,
    extensions,
    algorithm,
    signature,
    sct.behind ?? new Uint8Array(0),
  )
}
