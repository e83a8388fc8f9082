import { describe, expect, it } from 'vitest'
import { readImageAttestation, signatureAnnotation } from '../../../src/bundle/image-signature.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { Evidence } from '../../../src/verify/evidence.ts'
import { verify } from '../../../src/verify/verify.ts'
import { pemOf } from '../../support/universe/certificates.ts'
import { firstIntotoBody } from '../../support/universe/entry-bodies.ts'
import type { SignedBundle, StatementOptions } from '../../support/universe/universe.ts'
import { issueLeaf, legacyBundle, namedKey, signStatement } from '../../support/universe/universe.ts'
import { policyFor, refusalOf, verifySigned } from '../../support/universe/verification.ts'

/** As cosign 1 attested: the entry has the digest of the envelope's text and the certificate, and no signature. */
const attest = (options: StatementOptions = {}): SignedBundle => signStatement({ attestationKind: 'intoto 0.0.1', ...options })
const textOf = ({ bundle }: SignedBundle): string => JSON.stringify(bundle['dsseEnvelope'])

/** Verifies the layer of an `.att` image. */
function verifyLayer(signed: SignedBundle, text = textOf(signed)): Evidence {
  const annotations = {
    [signatureAnnotation.rekorBundle]: JSON.stringify(legacyBundle(signed)['rekorBundle']),
    ...(signed.certificate.length === 0 ? {} : { [signatureAnnotation.certificate]: pemOf(signed.certificate) }),
  }
  const entity = readImageAttestation(encodeUtf8(text), annotations)
  return verify(entity, loadTrustMaterial(signed.universe.trustedRoot()), policyFor(signed))
}

describe('log entries of the first version of intoto, which cosign 1 made of attestations', () => {
  it('verify, keyless and with a key', () => {
    expect(verifyLayer(attest()).logEntries).toMatchObject([{ kind: 'intoto', version: '0.0.1' }])
    expect(verifyLayer(attest({ managed: true })).logEntries).toHaveLength(1)
  })
  it('verify without the hash of the payload, which the oldest do not have', () => {
    const logged: object[] = []
    const options: StatementOptions = { managed: true, key: namedKey('signer', 'ed25519') }
    const bendBody: StatementOptions['bendBody'] = (parts) => {
      logged.push(firstIntotoBody(parts, false))
      return parts
    }
    attest({ ...options, bendBody })
    const [body = {}] = logged
    expect(JSON.stringify(body)).not.toContain('payloadHash')
    expect(verifyLayer(attest({ ...options, body })).logEntries).toHaveLength(1)
  })
  it('are about the very text of the envelope', () => {
    const signed = attest()
    const envelope = JSON.parse(textOf(signed)) as Record<string, unknown>
    for (const text of [`${textOf(signed)} `, JSON.stringify({ ...envelope, more: 1 })]) {
      expect(refusalOf(() => verifyLayer(signed, text))).toEqual({
        code: 'LOG_ENTRY_MISMATCH',
        message: 'the log entry is about another attestation than that of the bundle',
      })
    }
  })
  it('are refused for another attestation by the same key, whose entry it is not', () => {
    const [mine, other] = [attest({ managed: true }), attest({ managed: true, statement: 'another' })]
    expect(refusalOf(() => verifyLayer({ ...mine, entries: other.entries }))).toMatchObject({ code: 'LOG_ENTRY_MISMATCH' })
  })
  it('are refused with another certificate or key', () => {
    const stranger = issueLeaf({ key: namedKey('stranger') })
    const withCertificate = attest({ bendBody: (parts) => ({ ...parts, verifier: stranger.der }) })
    expect(refusalOf(() => verifyLayer(withCertificate))).toMatchObject({
      message: 'the certificate in the log entry is not the certificate of the bundle',
    })
    const withKey = attest({ managed: true, bendBody: (parts) => ({ ...parts, verifier: namedKey('stranger').spki }) })
    expect(refusalOf(() => verifyLayer(withKey))).toMatchObject({ message: 'the public key in the log entry is not the given key' })
  })
  it('do not stand for the signature, which is checked all the same', () => {
    const signed = attest({ signer: namedKey('stranger') })
    expect(refusalOf(() => verifyLayer(signed))).toMatchObject({ code: 'SIGNATURE_INVALID' })
  })
  it('are of no use in a Sigstore bundle, which does not keep the text', () => {
    expect(refusalOf(() => verifySigned(attest()))).toEqual({
      code: 'LOG_ENTRY_MISMATCH',
      message: 'the log entry of kind intoto 0.0.1 is about the text of an envelope, which a Sigstore bundle does not keep',
    })
  })
})
