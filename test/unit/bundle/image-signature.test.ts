import { describe, expect, it } from 'vitest'
import {
  imageSignatureAnnotations,
  readImageAttestation,
  readImageSignature,
  signatureAnnotation,
} from '../../../src/bundle/image-signature.ts'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { encodeEnvelope } from '../../../src/bundle/dsse.ts'
import { encodeUtf8 } from '../../../src/encoding/bytes.ts'
import { signBlob, signStatement, universeOf } from '../../support/universe/universe.ts'

const payload = encodeUtf8('{"critical":{}}')
const blob = parseBundle(signBlob({ timestamps: [{ certificates: [universeOf().timestampLeaf.der] }] }).json)
const good = imageSignatureAnnotations(blob)

describe('a signature of an image, as a layer with annotations', () => {
  it('is read back as it was written', () => {
    const read = readImageSignature(payload, good)
    expect(read.payload).toBe(payload)
    expect(read.entity.content).toMatchObject({ kind: 'message-signature' })
    expect(imageSignatureAnnotations(read.entity)).toEqual(good)
  })

  it('has annotations that are empty where others have none', () => {
    const empty = Object.fromEntries(Object.values(signatureAnnotation).map((name) => [name, '']))
    const { entity } = readImageSignature(payload, { ...empty, [signatureAnnotation.signature]: 'AAAA' })
    expect(entity).toMatchObject({ keyMaterial: { kind: 'none' }, logEntries: [], timestamps: [] })
  })

  it.each([
    ['no signature', {}],
    ['an empty signature', { ...good, [signatureAnnotation.signature]: '' }],
    ['a certificate that is none', { ...good, [signatureAnnotation.certificate]: 'hello' }],
    [
      'two certificates',
      { ...good, [signatureAnnotation.certificate]: `${good[signatureAnnotation.certificate]}${good[signatureAnnotation.certificate]}` },
    ],
    ['a public key in the place of the certificate', { ...good, [signatureAnnotation.certificate]: signBlob({ managed: true }).key.pem }],
    ['a chain that is none', { ...good, [signatureAnnotation.chain]: 'hello' }],
    ['a log entry that is no JSON', { ...good, [signatureAnnotation.rekorBundle]: '{' }],
    ['a log entry without its promise', { ...good, [signatureAnnotation.rekorBundle]: '{"Payload":{}}' }],
    ['a timestamp that is none', { ...good, [signatureAnnotation.timestamp]: '{}' }],
  ])('is refused with %s', (_, annotations) => {
    expect(() => readImageSignature(payload, annotations)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/_INVALID$/) as unknown }),
    )
  })
})

describe('an attestation of an image, as a layer', () => {
  it('is its envelope, whose signature is not in the annotations', () => {
    const entity = parseBundle(signStatement().json)
    const annotations = imageSignatureAnnotations(entity)
    expect(annotations[signatureAnnotation.signature]).toBe('')
    if (entity.content.kind !== 'dsse-envelope') throw new Error('the attestation is no envelope')
    const read = readImageAttestation(encodeUtf8(encodeEnvelope(entity.content)), annotations)
    expect(read.content).toMatchObject({ kind: 'dsse-envelope', payload: entity.content.payload })
    expect(imageSignatureAnnotations(read)).toEqual(annotations)
  })

  it('is refused when it is none', () => {
    for (const text of ['', '{}', '[]', '{"payload":"","payloadType":"x","signatures":[]}']) {
      expect(() => readImageAttestation(encodeUtf8(text), {})).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/_INVALID$/) as unknown }),
      )
    }
  })
})
