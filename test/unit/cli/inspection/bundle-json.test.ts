import { describe, expect, it } from 'vitest'
import { digest } from '../../../../src/crypto/digest.ts'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import type { Json } from '../../../support/universe/universe.ts'
import {
  artifactBytes,
  identity,
  issuer,
  namedKey,
  signBlob,
  signStatement,
  statementAbout,
  universeOf,
} from '../../../support/universe/universe.ts'
import { inspect, jsonOf } from './inspection.ts'

const blob = signBlob({
  key: namedKey('inspected'),
  entry: { treeSize: 4, leafIndex: 2, logIndex: 1002, checkpointLines: ['Timestamp: 1'] },
})
const attestation = signStatement({ log: 'v2', key: namedKey('inspected') })

function materialOf(json: Json): Json {
  return json['verificationMaterial'] as Json
}

describe('a bundle as JSON', () => {
  it('has format, media type and version', async () => {
    const json = await jsonOf(blob.bundle)
    expect(json).toMatchObject({
      format: 'sigstore-bundle',
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      version: '0.3',
      content: { kind: 'message-signature' },
    })
    expect(json).not.toHaveProperty('refusal')
  })

  it('says of an SCT of an unknown algorithm which it is', async () => {
    const text = JSON.stringify(await jsonOf(signBlob({ scts: [{ algorithm: [2, 3] }, {}] }).bundle))
    expect(text).toContain('"unknownAlgorithm":"hash 2, signature 3"')
    expect(text.match(/"signatureKind":"ecdsa"/g)).toHaveLength(1)
  })

  it('has the certificate with names and extensions', async () => {
    const { intermediate } = universeOf()
    expect(materialOf(await jsonOf(blob.bundle))['certificates']).toEqual([
      {
        sha256: encodeHex(digest('sha256', blob.certificate)),
        serialNumber: expect.stringMatching(/^[0-9a-f]+$/) as string,
        subject: '',
        issuer: 'CN=intermediate,O=universe.test',
        notBefore: '2026-01-15T12:00:00Z',
        notAfter: '2026-01-15T12:10:00Z',
        subjectAlternativeNames: [{ kind: 'uri', value: identity }],
        publicKey: {
          sha256: encodeHex(digest('sha256', blob.key.spki)),
          algorithm: 'ECDSA',
          curve: 'P-256',
          point: encodeHex(blob.key.spki.subarray(-65)),
        },
        keyUsage: ['Digital Signature'],
        extendedKeyUsage: [{ oid: '1.3.6.1.5.5.7.3.3', name: 'Code Signing' }],
        subjectKeyId: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
        authorityKeyId: encodeHex(intermediate.subjectKeyIdentifier),
        extensions: [
          { oid: '1.3.6.1.4.1.57264.1.1', critical: false, name: 'issuerV1', value: issuer },
          { oid: '1.3.6.1.4.1.57264.1.8', critical: false, name: 'issuerV2', value: issuer },
          {
            oid: '1.3.6.1.4.1.11129.2.4.2',
            critical: false,
            name: 'signedCertificateTimestamps',
            value: [
              {
                version: 1,
                logId: encodeHex(digest('sha256', universeOf().ctLog.spki)),
                timestamp: '2026-01-15T12:00:01Z',
                extensions: '',
                hashAlgorithm: 'sha256',
                signatureKind: 'ecdsa',
                signature: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as string,
              },
            ],
          },
        ],
        signatureAlgorithm: 'ECDSA-SHA384',
        signature: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as string,
      },
    ])
  })

  it('has the log entry with its proof, checkpoint and body', async () => {
    const entry = (blob.bundle['verificationMaterial'] as { tlogEntries: { canonicalizedBody: string }[] }).tlogEntries[0]
    const body = Buffer.from(entry?.canonicalizedBody ?? '', 'base64')
    expect(materialOf(await jsonOf(blob.bundle))['logEntries']).toEqual([
      {
        logIndex: '1002',
        logId: encodeHex(universeOf().rekor.logId),
        kind: 'hashedrekord',
        version: '0.0.1',
        integratedTime: '2026-01-15T12:01:00Z',
        signedEntryTimestamp: expect.any(String) as string,
        inclusionProof: {
          logIndex: '2',
          treeSize: '4',
          rootHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          hashes: [expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)],
          checkpoint: {
            origin: 'rekor.universe.test - 1193050959916656506',
            treeSize: '4',
            rootHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
            otherContent: ['Timestamp: 1'],
            signatures: [
              {
                name: 'rekor.universe.test',
                keyId: encodeHex(universeOf().rekor.logId.subarray(0, 4)),
                signature: expect.any(String) as string,
              },
            ],
          },
        },
        body: { bytes: body.length, content: JSON.parse(body.toString()) as Json },
      },
    ])
  })

  it('has timestamps, and no time where the log gave none', async () => {
    const material = materialOf(await jsonOf(attestation.bundle))
    expect(material['timestamps']).toEqual([
      {
        time: '2026-01-15T12:01:00Z',
        hashAlgorithm: 'SHA-256',
        messageImprint: encodeHex(digest('sha256', attestation.signature)),
        serialNumber: expect.stringMatching(/^\d+$/) as string,
        policy: '1.3.6.1.4.1.57264.2',
        certificates: [],
      },
    ])
    expect((material['logEntries'] as Json[])[0]).not.toHaveProperty('integratedTime')
  })

  it('has the certificates and the nonce that a timestamp brings', async () => {
    const { timestampLeaf } = universeOf()
    const { bundle } = signBlob({ log: 'v2', timestamps: [{ nonce: 255n, certificates: [timestampLeaf.der] }] })
    expect(materialOf(await jsonOf(bundle))['timestamps']).toMatchObject([
      { nonce: '00ff', certificates: [{ subject: 'CN=tsa,O=universe.test' }] },
    ])
  })

  it('has the statement with digests, annotations and predicate', async () => {
    const predicate = { builder: 'b', big: 1, nested: [{ a: null }] }
    const { bundle } = signStatement({ statement: statementAbout(artifactBytes, { predicate }), keyid: 'k' })
    expect(await jsonOf(bundle)).toMatchObject({
      content: {
        kind: 'dsse-envelope',
        payloadType: 'application/vnd.in-toto+json',
        payloadBytes: expect.any(Number) as number,
        statement: {
          type: 'https://in-toto.io/Statement/v1',
          predicateType: 'https://slsa.dev/provenance/v1',
          subjects: [{ name: 'app', digest: { sha256: encodeHex(digest('sha256', artifactBytes)) } }],
          predicate,
        },
        signatures: [{ keyId: 'k', signature: expect.any(String) as string }],
      },
    })
  })

  it('keeps the integers of a predicate exact', async () => {
    const statement = JSON.stringify(statementAbout(artifactBytes, { predicate: { n: 'big' } })).replace('"big"', '12345678901234567890')
    const { bundle } = signStatement({ statement })
    expect((await inspect(bundle, '-o', 'json')).stdout).toContain('"n": 12345678901234567890\n')
  })

  it('has a payload of another type as base64', async () => {
    const { bundle } = signStatement({ statement: 'hello', payloadType: 'text/plain' })
    expect(await jsonOf(bundle)).toMatchObject({ content: { payloadType: 'text/plain', payload: 'aGVsbG8=' } })
  })

  it('has the digest and the hint of a bundle with a managed key', async () => {
    const json = await jsonOf(signBlob({ managed: true, hint: 'my key' }).bundle)
    expect(materialOf(json)).toMatchObject({ publicKey: { hint: 'my key' } })
    expect(json['content']).toMatchObject({ digest: { algorithm: 'SHA2_256', value: encodeHex(digest('sha256', artifactBytes)) } })
  })

  it('says why verification refuses the bundle', async () => {
    expect(await jsonOf({ ...blob.bundle, surprise: 1 })).toMatchObject({ refusal: 'bundle has an unknown field "surprise"' })
    expect(await jsonOf({ mediaType: blob.bundle['mediaType'] })).toEqual({
      format: 'sigstore-bundle',
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      version: '0.3',
      refusal: expect.stringContaining('the bundle has no content') as string,
    })
  })

  it('says of each malformed part why it cannot be parsed', async () => {
    const bundle = {
      verificationMaterial: {
        certificate: { rawBytes: 'AAAA' },
        tlogEntries: [{ canonicalizedBody: 'AAAA', inclusionProof: { checkpoint: { envelope: 'x' } } }],
        timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] },
      },
      dsseEnvelope: { payloadType: 'application/vnd.in-toto+json', payload: 'AAAA' },
    }
    const problem = expect.any(String) as string
    expect(await jsonOf(bundle)).toMatchObject({
      verificationMaterial: {
        certificates: [{ problem }],
        logEntries: [{ body: { bytes: 3, problem }, inclusionProof: { checkpoint: { envelope: 'x', problem } } }],
        timestamps: [{ problem }],
      },
      content: { statement: { problem, payload: 'AAAA' }, signatures: [] },
    })
  })
})
