import { describe, expect, it } from 'vitest'
import { encodeTimestampReply } from '../../../src/api/timestamp.ts'
import type { SignatureAlgorithm } from '../../../src/crypto/signature.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import { certificateKey } from '../../../src/x509/certificate-key.ts'
import type { ImprintAlgorithm } from '../../../src/x509/timestamp-token-writer.ts'
import { createTimestampTokenWriter } from '../../../src/x509/timestamp-token-writer.ts'
import { parseTimestampResponse, verifyTimestampSignature } from '../../../src/x509/timestamp-token.ts'
import { privateKeyOf, timestampAuthorityOf } from '../../support/authority.ts'
import { hasPublicData, readPublic } from '../../support/public-data.ts'
import { digestOf } from '../../support/universe/keys.ts'
import { epoch, universeOf } from '../../support/universe/services.ts'
import { failureOf } from '../encoding/failure.ts'

const policy = '1.3.6.1.4.1.57264.2'
const stamped = encodeUtf8('what is stamped')
const infoOf = (algorithm: ImprintAlgorithm) => ({
  imprint: { algorithm, digest: digestOf(algorithm, stamped) },
  genTime: epoch + 789,
  serialNumber: Uint8Array.of(0x7f, 1, 2, 3),
})

interface PublicBundle {
  readonly verificationMaterial: {
    readonly timestampVerificationData: { readonly rfc3161Timestamps: readonly { signedTimestamp: string }[] }
  }
}

describe('a written timestamp token', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('verifies and says what it was told, of a %s digest', (algorithm) => {
    const { signer, chain } = timestampAuthorityOf()
    const write = createTimestampTokenWriter({ signer, certificate: chain[0], policy })
    const token = parseTimestampResponse(encodeTimestampReply({ status: 'granted', token: write(infoOf(algorithm), [chain[0].bytes]) }))
    verifyTimestampSignature(token, chain[0], stamped)
    expect(token).toMatchObject({ genTime: epoch, policy, nonce: undefined, serialNumber: Uint8Array.of(0x7f, 1, 2, 3) })
    expect(token.certificates).toEqual([chain[0].bytes])
  })

  it.each([
    ['p256', 'ecdsa-sha256'],
    ['p384', 'ecdsa-sha384'],
    ['p384', 'ecdsa-sha256'],
    ['p521', 'ecdsa-sha512'],
  ] as const)('verifies when a %s key signs it with %s', (timestampKey, algorithm: SignatureAlgorithm) => {
    const { chain } = timestampAuthorityOf({ timestampKey })
    const signer = privateKeyOf(universeOf({ timestampKey }).timestampLeaf.key).createSigner(algorithm)
    const write = createTimestampTokenWriter({ signer, certificate: chain[0], policy })
    const token = parseTimestampResponse(encodeTimestampReply({ status: 'granted', token: write(infoOf('sha256'), []) }))
    verifyTimestampSignature(token, chain[0], stamped)
    expect(token.certificates).toEqual([])
  })

  // The signature is random and cannot be made again, so the signer hands out the one that is there.
  it.skipIf(!hasPublicData)('is to the byte what the public authority wrote from the same facts', () => {
    const bundle = JSON.parse(
      Buffer.from(readPublic('conformance', 'bundle-verify', 'rekor2-timestamp-with-embedded-cert', 'bundle.sigstore.json')).toString(),
    ) as PublicBundle
    const theirs = Buffer.from(bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0]?.signedTimestamp ?? '', 'base64')
    const { imprint, genTime, serialNumber, nonce, certificates, signer } = parseTimestampResponse(theirs)
    const certificate = parseCertificate(certificates[0] ?? new Uint8Array(0))
    const replay = { publicKey: certificateKey(certificate), algorithm: 'ecdsa-sha256' as const, sign: () => signer.signature }
    const write = createTimestampTokenWriter({ signer: replay, certificate, policy })
    const { algorithm } = imprint
    if (algorithm === 'sha224') throw new Error('the public token is not of SHA-224')
    const ours = write({ imprint: { algorithm, digest: imprint.digest }, genTime, serialNumber, nonce }, certificates)
    expect(Buffer.from(encodeTimestampReply({ status: 'granted', token: ours })).toString('hex')).toBe(theirs.toString('hex'))
  })

  it('is refused for a key that is not ECDSA', () => {
    const { chain } = timestampAuthorityOf({ timestampKey: 'rsa' })
    const signer = privateKeyOf(universeOf({ timestampKey: 'rsa' }).timestampLeaf.key).createSigner()
    expect(failureOf(() => createTimestampTokenWriter({ signer, certificate: chain[0], policy }))).toBe(
      'UsageError USAGE: timestamps are signed with ECDSA, found a signer with rsa-pkcs1-sha256',
    )
  })

  it('is refused for a key that is not of the certificate', () => {
    const { signer, chain } = timestampAuthorityOf()
    expect(failureOf(() => createTimestampTokenWriter({ signer, certificate: chain[1], policy }))).toBe(
      "UsageError USAGE: the timestamp authority's certificate is not of its signing key",
    )
  })

  it('is refused for a digest of another length', () => {
    const { signer, chain } = timestampAuthorityOf()
    const write = createTimestampTokenWriter({ signer, certificate: chain[0], policy })
    const info = { ...infoOf('sha256'), imprint: { algorithm: 'sha512', digest: new Uint8Array(32) } as const }
    expect(failureOf(() => write(info, []))).toBe('UsageError USAGE: a sha512 digest has 64 bytes, found 32')
  })
})
