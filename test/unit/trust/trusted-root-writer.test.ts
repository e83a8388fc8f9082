import { ClientTrustConfig as PublicClientTrustConfig, TrustedRoot as PublicTrustedRoot } from '@sigstore/protobuf-specs'
import { describe, expect, it } from 'vitest'
import { parsePublicKey } from '../../../src/crypto/public-key.ts'
import { clientTrustConfigOf, signingConfigOf, trustedRootOf } from '../../../src/server/public-trust.ts'
import { encodeClientTrustConfig, parseClientTrustConfig } from '../../../src/trust/client-trust-config.ts'
import { createLogInstance, encodeTrustedRoot } from '../../../src/trust/trusted-root-writer.ts'
import { parseTrustedRoot } from '../../../src/trust/trusted-root.ts'
import { describeName, formatName } from '../../../src/x509/name.ts'
import { derOid, derSequence, derSet, derUtf8String } from '../../../src/encoding/der-writer.ts'
import { publicTrustOf } from '../../support/server/universe-trust.ts'
import { namedKey } from '../../support/universe/keys.ts'
import { rekorV2 } from '../../support/universe/logs.ts'
import { signBlob, universeOf } from '../../support/universe/universe.ts'
import { verifySigned } from '../../support/universe/verification.ts'

const universe = universeOf()
const trust = publicTrustOf(universe)

describe('a trusted root', () => {
  it('says what the one of the test universe says, whose writer is another', () => {
    expect(parseTrustedRoot(encodeTrustedRoot(trustedRootOf(trust)))).toEqual(parseTrustedRoot(universe.trustedRoot()))
  })

  it('has the fields and texts of published ones, and no others', () => {
    const json = JSON.parse(encodeTrustedRoot(trustedRootOf(trust))) as Record<string, Record<string, unknown>[]>
    expect(Object.keys(json)).toEqual(['mediaType', 'tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities'])
    expect(json['mediaType']).toBe('application/vnd.dev.sigstore.trustedroot+json;version=0.1')
    expect(json['tlogs']?.[0]).toEqual({
      baseUrl: 'https://rekor.universe.test',
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: Buffer.from(universe.rekor.key.spki).toString('base64'),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: '2025-01-15T12:00:00Z' },
      },
      logId: { keyId: Buffer.from(universe.rekor.logId).toString('base64') },
    })
    expect(json['certificateAuthorities']?.[0]).toMatchObject({
      subject: { commonName: 'root' },
      validFor: { start: '2025-01-15T12:00:00Z' },
    })
    expect(json['timestampAuthorities']?.[0]).toMatchObject({ subject: { commonName: 'tsa-root' }, uri: 'https://tsa.universe.test' })
  })

  it('is read by protobuf-specs as it stands', () => {
    const json: unknown = JSON.parse(encodeTrustedRoot(trustedRootOf(trust)))
    const again = PublicTrustedRoot.toJSON(PublicTrustedRoot.fromJSON(json)) as object
    // protobuf-specs writes dates with milliseconds, and names the algorithm of a default.
    expect(JSON.stringify(again).replaceAll('.000Z', 'Z')).toBe(JSON.stringify(json))
  })

  it('keeps windows with an end, to the millisecond', () => {
    const end = Date.UTC(2022, 9, 31, 23, 59, 59, 999)
    const [log] = trust.ctLogs
    if (log === undefined) throw new Error('there is no CT log')
    const text = encodeTrustedRoot(trustedRootOf({ ...trust, ctLogs: [{ ...log, window: { start: Date.UTC(2021, 0), end } }] }))
    expect(text).toContain('"end": "2022-10-31T23:59:59.999Z"')
    expect(parseTrustedRoot(text).certificateTransparencyLogs[0]?.window).toEqual({ start: Date.UTC(2021, 0), end })
  })

  it('verifies what the universe signs, with either log', () => {
    for (const log of ['v1', 'v2'] as const)
      expect(() =>
        verifySigned(signBlob({ log }), {
          bendRoot: (root) => void Object.assign(root, JSON.parse(encodeTrustedRoot(trustedRootOf(trust)))),
        }),
      ).not.toThrow()
  })
})

describe('log identifiers', () => {
  const window = { start: 0, end: undefined }
  const ed25519 = namedKey('log', 'ed25519')
  const p256 = namedKey('log')

  it('of Rekor v2 with Ed25519 are the whole hash of name and key, the name being the host alone', () => {
    const { logId } = rekorV2(ed25519, 'https://log1.example.com')
    for (const baseUrl of ['https://log1.example.com', 'https://log1.example.com:8443/', 'http://LOG1.example.com/rekor'])
      expect(createLogInstance({ api: 'rekor-v2', baseUrl, publicKey: parsePublicKey(ed25519.spki), window }).logId).toEqual(
        Buffer.from(logId),
      )
  })

  it('of everything else are the hash of the key', () => {
    const { logId } = rekorV2(p256, 'https://log1.example.com')
    for (const api of ['rekor-v1', 'rekor-v2', 'ct'] as const)
      expect(createLogInstance({ api, baseUrl: 'https://log1.example.com', publicKey: parsePublicKey(p256.spki), window }).logId).toEqual(
        Buffer.from(logId),
      )
    const ofV1 = createLogInstance({ api: 'rekor-v1', baseUrl: 'https://a.example', publicKey: parsePublicKey(ed25519.spki), window })
    expect(ofV1.logId).not.toEqual(
      createLogInstance({ api: 'rekor-v2', baseUrl: 'https://a.example', publicKey: parsePublicKey(ed25519.spki), window }).logId,
    )
  })

  it('of a log without a URL cannot be had', () => {
    expect(() => createLogInstance({ api: 'rekor-v2', baseUrl: 'log1', publicKey: parsePublicKey(p256.spki), window })).toThrow(
      'should be a URL, found log1',
    )
  })
})

describe('a client trust config', () => {
  const config = clientTrustConfigOf(trust, 'v2')
  const text = encodeClientTrustConfig(config)

  it('comes back as it went', () => {
    expect(parseClientTrustConfig(text)).toEqual({
      trustedRoot: parseTrustedRoot(encodeTrustedRoot(config.trustedRoot)),
      signingConfig: signingConfigOf(trust, 'v2'),
    })
    expect(parseClientTrustConfig(encodeClientTrustConfig(parseClientTrustConfig(text)))).toEqual(parseClientTrustConfig(text))
  })

  it('is read by protobuf-specs', () => {
    expect(PublicClientTrustConfig.fromJSON(JSON.parse(text))).toMatchObject({
      trustedRoot: { tlogs: [{ baseUrl: 'https://rekor.universe.test' }, {}] },
      signingConfig: { rekorTlogUrls: [{ majorApiVersion: 2 }, { majorApiVersion: 1 }] },
    })
  })

  for (const [name, bend, code, message] of [
    [
      'another media type',
      (json) => (json['mediaType'] = 'application/json'),
      'SIGNING_CONFIG_INVALID',
      'clientTrustConfig.mediaType should be',
    ],
    ['an unknown field', (json) => (json['policy'] = {}), 'SIGNING_CONFIG_INVALID', 'has an unknown field'],
    [
      'no trusted root',
      (json) => Reflect.deleteProperty(json, 'trustedRoot'),
      'TRUSTED_ROOT_INVALID',
      'clientTrustConfig.trustedRoot should be an object, found nothing',
    ],
    [
      'no signing config',
      (json) => (json['signingConfig'] = null),
      'SIGNING_CONFIG_INVALID',
      'clientTrustConfig.signingConfig should be an object',
    ],
    [
      'a broken trusted root',
      (json) => (json['trustedRoot'] = {}),
      'TRUSTED_ROOT_INVALID',
      'clientTrustConfig.trustedRoot.mediaType is missing',
    ],
    ['a trusted root as text', (json) => (json['trustedRoot'] = '{}'), 'TRUSTED_ROOT_INVALID', 'should be an object'],
  ] as const satisfies readonly (readonly [string, (json: Record<string, unknown>) => unknown, string, string])[])
    it(`with ${name} is refused`, () => {
      const json = JSON.parse(text) as Record<string, unknown>
      bend(json)
      expect(() => parseClientTrustConfig(JSON.stringify(json))).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(message) }),
      )
    })
})

describe('names', () => {
  const attribute = (type: string, text: string): Uint8Array => derSet(derSequence(derOid(type), derUtf8String(text)))

  it('give the first common name and organization', () => {
    const name = derSequence(attribute('2.5.4.10', 'example.com'), attribute('2.5.4.3', 'sigstore'), attribute('2.5.4.3', 'second'))
    expect(describeName(name)).toEqual({ commonName: 'sigstore', organization: 'example.com' })
    expect(formatName(name)).toBe('O=example.com, CN=sigstore, CN=second')
  })

  it('may be empty', () => {
    expect(describeName(derSequence())).toEqual({ commonName: undefined, organization: undefined })
    expect(formatName(derSequence())).toBe('')
  })
})
