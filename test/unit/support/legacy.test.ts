import { X509Certificate, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { legacyBundle, legacyFiles, signBlob, signStatement } from '../../support/universe/universe.ts'

const signed = signBlob()
const attestation = signStatement()

describe('a local bundle of cosign', () => {
  it('holds the signature, the certificate and what Rekor promised', () => {
    const [entry] = signed.entries
    expect(legacyBundle(signed)).toEqual({
      base64Signature: Buffer.from(signed.signature).toString('base64'),
      cert: Buffer.from(legacyFiles(signed).certificate).toString('base64'),
      rekorBundle: {
        SignedEntryTimestamp: entry?.inclusionPromise?.signedEntryTimestamp,
        Payload: {
          body: entry?.canonicalizedBody,
          integratedTime: Number(entry?.integratedTime),
          logIndex: Number(entry?.logIndex),
          logID: Buffer.from(signed.universe.rekor.logId).toString('hex'),
        },
      },
    })
  })

  it('holds the envelope of an attestation in the place of the signature', () => {
    const text = Buffer.from(String(legacyBundle(attestation)['base64Signature']), 'base64').toString()
    expect(JSON.parse(text)).toEqual(attestation.bundle['dsseEnvelope'])
  })

  it('holds no certificate of a managed key, but what a test puts there', () => {
    const managed = signBlob({ managed: true })
    expect(legacyBundle(managed)).not.toHaveProperty('cert')
    expect(legacyBundle(managed, managed.key.pem)).toMatchObject({ cert: managed.key.pem })
  })

  it('holds nothing of Rekor for a signature that was not logged', () => {
    expect(legacyBundle(signBlob({ log: 'none' }))).not.toHaveProperty('rekorBundle')
  })
})

describe('separate files', () => {
  it('hold base64 and PEM', () => {
    const { signature, certificate } = legacyFiles(signed)
    const { publicKey } = new X509Certificate(certificate)
    expect(verify('sha256', signed.artifact, publicKey, Buffer.from(signature, 'base64'))).toBe(true)
    expect(verify('sha256', Buffer.from('another artifact'), publicKey, Buffer.from(signature, 'base64'))).toBe(false)
  })

  it('hold no certificate of a managed key', () => {
    expect(legacyFiles(signBlob({ managed: true })).certificate).toBe('')
  })
})
