/** The bodies of public bundles, made anew of their other parts: the bytes that the public logs have. */
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseBundle } from '../../../../src/bundle/bundle.ts'
import { preAuthenticationEncoding } from '../../../../src/bundle/dsse.ts'
import {
  encodeDsseV001,
  encodeDsseV002,
  encodeHashedRekordV001,
  encodeHashedRekordV002,
  encodeIntotoV002,
} from '../../../../src/bundle/encode-log-entry-body.ts'
import { parseLogEntryBody } from '../../../../src/bundle/log-entry-body.ts'
import type { LogEntry, SignedEntity } from '../../../../src/bundle/signed-entity.ts'
import { digest } from '../../../../src/crypto/digest.ts'
import type { PublicKey } from '../../../../src/crypto/public-key.ts'
import { encodePublicKeyPem, parsePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { digestOf as digestOfAlgorithm, keyDetailsOf } from '../../../../src/crypto/signature.ts'
import { encodePem } from '../../../../src/encoding/pem.ts'
import { digestSigningAlgorithm } from '../../../../src/server/rekor/algorithm-policy.ts'
import { checkEntryV1 } from '../../../../src/server/rekor/v1-entry.ts'
import { checkEntryV2 } from '../../../../src/server/rekor/v2-entry.ts'
import { checkSignature } from '../../../../src/server/threads/signature-check.ts'
import { defaultKeyDetails, defaultKeyDetailsV1 } from '../../../../src/server/rekor/algorithm-policy.ts'
import { certificateKey } from '../../../../src/x509/certificate-key.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import { conformanceCases, hasPublicData, publicPath } from '../../../support/public-data.ts'

interface PublicEntry {
  readonly name: string
  readonly entity: SignedEntity
  readonly entry: LogEntry
  readonly key: PublicKey
  readonly artifact: Uint8Array
}

const publicEntries = hasPublicData ? [...fromConformance(), ...fromBundles()] : []

function fromConformance(): PublicEntry[] {
  return conformanceCases()
    .filter(({ mustFail }) => !mustFail)
    .flatMap((item) => entriesOf(item.name, item.bundle, readFileSync(item.artifact), item.key))
}

function fromBundles(): PublicEntry[] {
  return readdirSync(publicPath('bundles')).flatMap((name) => entriesOf(name, publicPath('bundles', name), new Uint8Array(0), undefined))
}

function entriesOf(name: string, file: string, artifact: Uint8Array, keyFile: string | undefined): PublicEntry[] {
  const entity = parseBundle(readFileSync(file))
  const { keyMaterial } = entity
  const key =
    keyMaterial.kind === 'certificate'
      ? certificateKey(parseCertificate(keyMaterial.leaf))
      : parsePublicKeyPem(readFileSync(keyFile ?? '', 'utf8'))
  return entity.logEntries.map((entry) => ({ name: `${name}: ${entry.kind} ${entry.version}`, entity, entry, key, artifact }))
}

/** Entries of the kind intoto keep the PEM as it came. */
function pemOf({ entity, entry, key }: PublicEntry): string {
  if (entry.kind === 'intoto') {
    const [, stated = ''] = /"publicKey":"([^"]+)"/.exec(Buffer.from(entry.body).toString()) ?? []
    return Buffer.from(stated, 'base64').toString()
  }
  return entity.keyMaterial.kind === 'certificate' ? encodePem('CERTIFICATE', entity.keyMaterial.leaf) : encodePublicKeyPem(key)
}

function verifierOf({ entity, key }: PublicEntry): { kind: 'certificate' | 'public-key'; der: Uint8Array; keyDetails: string } {
  const keyDetails = keyDetailsOf(key, digestSigningAlgorithm(key))
  if (entity.keyMaterial.kind === 'certificate') return { kind: 'certificate', der: entity.keyMaterial.leaf, keyDetails }
  return { kind: 'public-key', der: key.spki, keyDetails }
}

/** What the entry alone states: a hash that cannot be computed from the bundle. */
function statedHash(entry: LogEntry, name: 'hash' | 'envelopeHash'): Uint8Array {
  const body = JSON.parse(Buffer.from(entry.body).toString()) as {
    spec: { envelopeHash?: { value: string }; content?: { hash: { value: string } } }
  }
  const found = name === 'hash' ? body.spec.content?.hash : body.spec.envelopeHash
  return Buffer.from(found?.value ?? '', 'hex')
}

function rebuild(item: PublicEntry): Uint8Array {
  const { entity, entry, key, artifact } = item
  const { content } = entity
  const { signature } = content
  const v1 = { signature, verifierPem: pemOf(item) }
  const algorithm = digestOfAlgorithm(digestSigningAlgorithm(key)) ?? 'sha512'
  if (content.kind === 'message-signature') {
    if (entry.version === '0.0.1') return encodeHashedRekordV001(parseLogEntryBody(entry.body).digest, v1)
    return encodeHashedRekordV002({ algorithm, value: digest(algorithm, artifact) }, { signature, verifier: verifierOf(item) })
  }
  const payloadSha256 = digest('sha256', content.payload)
  switch (`${entry.kind} ${entry.version}`) {
    case 'dsse 0.0.1':
      return encodeDsseV001(statedHash(entry, 'envelopeHash'), payloadSha256, [v1])
    case 'intoto 0.0.2':
      return encodeIntotoV002({
        payloadType: content.payloadType,
        signatures: [{ ...v1, keyId: content.keyId }],
        envelopeSha256: statedHash(entry, 'hash'),
        payloadSha256,
      })
    case 'dsse 0.0.2':
      return encodeDsseV002({ algorithm: 'sha256', value: payloadSha256 }, [{ signature, verifier: verifierOf(item) }])
    default: {
      const value = digest(algorithm, preAuthenticationEncoding(content.payloadType, content.payload))
      return encodeHashedRekordV002({ algorithm, value }, { signature, verifier: verifierOf(item) })
    }
  }
}

describe.skipIf(!hasPublicData)('public entries', () => {
  test('are of every kind that is rebuilt here', () => {
    const kinds = new Set(publicEntries.map(({ entry }) => `${entry.kind} ${entry.version}`))
    expect([...kinds].toSorted()).toEqual(['dsse 0.0.1', 'hashedrekord 0.0.1', 'hashedrekord 0.0.2', 'intoto 0.0.2'])
  })

  test.each(publicEntries.map((item) => [item.name, item] as const))('%s', (_, item) => {
    expect(Buffer.from(rebuild(item)).toString()).toBe(Buffer.from(item.entry.body).toString())
  })

  const rulesV1 = { keyDetails: defaultKeyDetailsV1, maxAttestationBytes: 0, maxRequestBytes: 4 << 20, checkSignature }
  const again = publicEntries.filter(({ entry }) => entry.kind === 'hashedrekord' || entry.kind === 'intoto')
  test.each(again.map((item) => [item.name, item] as const))('%s: our log would write the same entry', async (_, item) => {
    const { entity, entry } = item
    const { content } = entity
    const { signature } = content
    const verifier = pemOf(item)
    if (entry.version === '0.0.2' && entry.kind === 'hashedrekord') {
      const { value } = parseLogEntryBody(entry.body).digest
      const request = { kind: 'hashedrekord', digest: value, signature, verifier: verifierOf(item) } as const
      const rules = { keyDetails: defaultKeyDetails, envelopesAs: 'hashedrekord', checkSignature } as const
      expect(await checkEntryV2(request, rules)).toMatchObject({ body: entry.body })
    } else if (content.kind === 'message-signature') {
      const stated = parseLogEntryBody(entry.body).digest
      const checked = await checkEntryV1(
        { kind: 'hashedrekord', digest: { algorithm: 'sha256', value: stated.value }, signature, verifier },
        rulesV1,
      )
      expect(checked.body).toEqual(entry.body)
    } else {
      const checked = await checkEntryV1(
        {
          kind: 'intoto',
          version: '0.0.2',
          payloadType: content.payloadType,
          payload: content.payload,
          signatures: [{ signature, verifier, keyId: content.keyId }],
          envelopeHash: statedHash(entry, 'hash'),
        },
        rulesV1,
      )
      expect(checked.body).toEqual(entry.body)
    }
  })
})
