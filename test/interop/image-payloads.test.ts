/**
 * Payloads and envelopes that no client of today makes, signed with a key of the test and put under the tags of cosign 1 and 2: where the real
 * cosign refuses, we do, and where we alone refuse, it is because two programs would read two things.
 */
import type { KeyObject } from 'node:crypto'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predicateType } from './image-clients.ts'
import type { ImageWorld } from './image-world.ts'
import { digestOf, isWorldMissing, openImageWorld } from './image-world.ts'
import { findPeer } from './peer.ts'

const cosign = findPeer('cosign')
const isMissing = isWorldMissing || cosign === undefined
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const elsewhere = `sha256:${'00'.repeat(32)}`
let world: ImageWorld

beforeAll(async () => {
  if (isMissing) return
  world = await openImageWorld()
  world.write('mine.pub', publicKey.export({ type: 'spki', format: 'pem' }))
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

type Suffix = 'sig' | 'att'
/** Of a layer: what is in it, and its annotations. */
interface Layer {
  readonly content: string
  readonly annotations: Readonly<Record<string, string>>
}

const layerTypes = { sig: 'application/vnd.dev.cosign.simplesigning.v1+json', att: 'application/vnd.dsse.envelope.v1+json' } as const
const sha256 = (content: string): string => `sha256:${createHash('sha256').update(content).digest('hex')}`
const signatureOf = (content: string, key: KeyObject = privateKey): string => sign('sha256', Buffer.from(content), key).toString('base64')

const payloadAbout = (digest: string): string =>
  JSON.stringify({
    critical: {
      identity: { 'docker-reference': 'app' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: { team: 'a' },
  })
const statementAbout = (digest: string): string =>
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject: [{ name: 'app', digest: { sha256: digest.slice('sha256:'.length) } }],
    predicate: { passed: 12 },
  })

function signedPayload(content: string, annotations: Readonly<Record<string, string>> = {}): Layer {
  return { content, annotations: { 'dev.cosignproject.cosign/signature': signatureOf(content), ...annotations } }
}

interface Envelope {
  payloadType: string
  payload: string
  signatures: { keyid?: string; sig: string }[]
}

function envelopeOf(statement: string, bend: (envelope: Envelope) => void = () => undefined, type = 'application/vnd.in-toto+json'): Layer {
  const signature = signatureOf(`DSSEv1 ${type.length} ${type} ${Buffer.from(statement).length} ${statement}`)
  const envelope = { payloadType: type, payload: Buffer.from(statement).toString('base64'), signatures: [{ keyid: '', sig: signature }] }
  bend(envelope)
  return { content: JSON.stringify(envelope), annotations: { 'dev.cosignproject.cosign/signature': '' } }
}

const forAddresses = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_')
/** What a signature of an attestation is over. */
const encodingOf = (statement: string): string => `DSSEv1 28 application/vnd.in-toto+json ${Buffer.from(statement).length} ${statement}`
const strangers = (content: string): { readonly sig: string } => ({ sig: signatureOf(content, stranger.privateKey) })

async function putBlob(base: string, content: string): Promise<void> {
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' })
  const address = new URL(started.headers.get('location') ?? '', base)
  address.searchParams.set('digest', sha256(content))
  const { status } = await fetch(address, { method: 'PUT', body: content, headers: { 'content-type': 'application/octet-stream' } })
  expect(status).toBe(201)
}

async function putTag(image: string, suffix: Suffix, layers: readonly Layer[]): Promise<void> {
  const [repository = '', digest = ''] = image.split('@')
  const [host = '', ...path] = repository.split('/')
  const base = `http://${host}/v2/${path.join('/')}`
  const type = 'application/vnd.oci.image.manifest.v1+json'
  for (const content of ['{}', ...layers.map((layer) => layer.content)]) await putBlob(base, content)
  const manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 },
    layers: layers.map(({ content, annotations }) => ({
      mediaType: layerTypes[suffix],
      digest: sha256(content),
      size: Buffer.from(content).length,
      annotations,
    })),
  }
  const address = `${base}/manifests/${digest.replace(':', '-')}.${suffix}`
  const { status } = await fetch(address, { method: 'PUT', body: JSON.stringify(manifest), headers: { 'content-type': type } })
  expect(status).toBe(201)
}

let made = 0

/** Whether we take it, and cosign does. */
async function judged(
  suffix: Suffix,
  make: (digest: string) => Layer | readonly Layer[],
  flags: readonly string[] = [],
): Promise<readonly [boolean, boolean]> {
  const image = await world.pushImage('docker-registry', `payloads/${made++}`)
  await putTag(image, suffix, [make(digestOf(image))].flat())
  const verb = suffix === 'sig' ? ['verify', '-a', 'team=a'] : ['verify-attestation', '--type', predicateType]
  const words = [...verb, '--key', 'mine.pub', '--insecure-ignore-tlog', ...flags, image]
  const ours = await world.countersign(words)
  const theirs = await world.run(cosign, words)
  expect(ours.exitCode === 0 || ours.stdout === '', ours.stdout).toBe(true)
  return [ours.exitCode === 0, theirs.exitCode === 0]
}

type Case = readonly [string, (digest: string) => Layer | readonly Layer[]]
const both = [true, true] as const
const neither = [false, false] as const
const cosignOnly = [false, true] as const

const digestMember = /"docker-manifest-digest":"[^"]*"/
const replaced = (digest: string, from: string | RegExp, to: string): Layer => signedPayload(payloadAbout(digest).replace(from, to))
const restated = (digest: string, from: string | RegExp, to: string): Layer => envelopeOf(statementAbout(digest).replace(from, to))

describe.skipIf(isMissing)('a payload', () => {
  it.each<Case>([
    ['as cosign writes it', (digest) => signedPayload(payloadAbout(digest))],
    ['of another type, as podman may sign', (digest) => replaced(digest, 'cosign container', 'atomic container')],
    ['with more than is needed', (digest) => replaced(digest, '"image"', '"more":1,"image"')],
    ['that ends with a new line', (digest) => signedPayload(`${payloadAbout(digest)}\n`)],
    ['on several lines', (digest) => signedPayload(` ${JSON.stringify(JSON.parse(payloadAbout(digest)), null, 2)}`)],
    ['with a number of any length', (digest) => replaced(digest, '"team"', `"build":${'9'.repeat(30)},"team"`)],
    [
      'whose signature ends with a new line',
      (digest) => {
        const payload = payloadAbout(digest)
        return signedPayload(payload, { 'dev.cosignproject.cosign/signature': `${signatureOf(payload)}\n` })
      },
    ],
    ['with a chain of certificates that is none', (digest) => signedPayload(payloadAbout(digest), { 'dev.sigstore.cosign/chain': 'none' })],
    [
      'beside one by somebody else',
      (digest) => {
        const payload = payloadAbout(digest)
        return [
          { content: payload, annotations: { 'dev.cosignproject.cosign/signature': signatureOf(payload, stranger.privateKey) } },
          signedPayload(payload),
        ]
      },
    ],
    [
      'beside a layer without a signature',
      (digest) => [{ content: payloadAbout(digest), annotations: {} }, signedPayload(payloadAbout(digest))],
    ],
  ])('%s is taken', async (_, make) => expect(await judged('sig', make)).toEqual(both))

  it.each<Case>([
    ['about another image', () => signedPayload(payloadAbout(elsewhere))],
    ['about another image in the end', (digest) => replaced(digest, digestMember, `$&,"docker-manifest-digest":"${elsewhere}"`)],
    [
      'about another image in the end, by a member in capitals',
      (digest) => replaced(digest, digestMember, `$&,"Docker-Manifest-Digest":"${elsewhere}"`),
    ],
    ['about the digest in capitals', (digest) => signedPayload(payloadAbout(`sha256:${digest.slice(7).toUpperCase()}`))],
    ['about the digest without its algorithm', (digest) => signedPayload(payloadAbout(digest.slice(7)))],
    ['with a byte order mark', (digest) => signedPayload(`\uFEFF${payloadAbout(digest)}`)],
    ['with another one behind it', (digest) => signedPayload(`${payloadAbout(digest)}{}`)],
    ['whose annotations are a list', (digest) => replaced(digest, '{"team":"a"}', '["team=a"]')],
    ['with a number for the annotation', (digest) => replaced(digest, '"team":"a"', '"team":1')],
    [
      'whose annotation is critical',
      (digest) => replaced(digest, /"image"(.*)"optional":\{"team":"a"\}/, '"team":"a","image"$1"optional":{}'),
    ],
    ['with a signature over other bytes', (digest) => ({ ...signedPayload(payloadAbout(digest)), content: `${payloadAbout(digest)} ` })],
    [
      'with the signature of an envelope',
      (digest) =>
        signedPayload(payloadAbout(digest), {
          'dev.cosignproject.cosign/signature': (JSON.parse(envelopeOf(payloadAbout(digest)).content) as Envelope).signatures[0]?.sig ?? '',
        }),
    ],
    ['with a certificate that is none', (digest) => signedPayload(payloadAbout(digest), { 'dev.sigstore.cosign/certificate': 'none' })],
    ['that is a statement', (digest) => signedPayload(statementAbout(digest))],
    ['that is an envelope', (digest) => signedPayload(envelopeOf(payloadAbout(digest)).content)],
  ])('%s is refused', async (_, make) => expect(await judged('sig', make)).toEqual(neither))

  it.each<Case>([
    [
      'with two digests',
      (digest) => replaced(digest, '"docker-manifest-digest"', `"docker-manifest-digest":"${elsewhere}","docker-manifest-digest"`),
    ],
    [
      'with two digests, one in capitals',
      (digest) => replaced(digest, '"docker-manifest-digest"', `"Docker-Manifest-Digest":"${elsewhere}","docker-manifest-digest"`),
    ],
    ['with its members in capitals', (digest) => replaced(digest, '"critical"', '"Critical"')],
    ['without a type', (digest) => replaced(digest, ',"type":"cosign container image signature"', '')],
    ['without an identity', (digest) => replaced(digest, '"identity":{"docker-reference":"app"},', '')],
    ['with half a character', (digest) => replaced(digest, '"team"', '"half":"\\ud800","team"')],
    ['with a log entry that is empty', (digest) => signedPayload(payloadAbout(digest), { 'dev.sigstore.cosign/bundle': '{}' })],
  ])('%s is taken by cosign alone', async (_, make) => expect(await judged('sig', make)).toEqual(cosignOnly))
})

describe.skipIf(isMissing)('a payload of which another digest is signed', () => {
  const signedOver = (digest: string, algorithm: string): Layer => {
    const payload = payloadAbout(digest)
    const signature = sign(algorithm, Buffer.from(payload), privateKey).toString('base64')
    return signedPayload(payload, { 'dev.cosignproject.cosign/signature': signature })
  }

  it.each([
    ['sha512', 'sha512', both],
    ['sha512', 'sha256', neither],
    ['sha256', 'sha512', neither],
    ['sha256', 'sha1', neither],
  ])('%s, with the flag %s', async (algorithm, said, expected) => {
    expect(await judged('sig', (digest) => signedOver(digest, algorithm), ['--signature-digest-algorithm', said])).toEqual(expected)
  })
})

describe.skipIf(isMissing)('an attestation', () => {
  it.each<Case>([
    ['as cosign writes it', (digest) => envelopeOf(statementAbout(digest))],
    ['of version 1', (digest) => restated(digest, 'Statement/v0.1', 'Statement/v1')],
    ['without the key’s name', (digest) => envelopeOf(statementAbout(digest), ({ signatures: [first] }) => delete first?.keyid)],
    [
      'with another key’s name',
      (digest) => envelopeOf(statementAbout(digest), ({ signatures: [first] }) => Object.assign(first ?? {}, { keyid: 'another' })),
    ],
    ['about several things', (digest) => restated(digest, '"subject":[', `"subject":[{"digest":{"sha256":"${'00'.repeat(32)}"}},`)],
    ['without a predicate', (digest) => restated(digest, ',"predicate":{"passed":12}', '')],
    [
      'whose annotation says another type',
      (digest) => ({
        ...envelopeOf(statementAbout(digest)),
        annotations: { 'dev.cosignproject.cosign/signature': '', predicateType: 'https://example.com/other' },
      }),
    ],
    [
      'with a second signature, over something else',
      (digest) => envelopeOf(statementAbout(digest), ({ signatures }) => signatures.push(strangers('something else'))),
    ],
    [
      'that a stranger signed first',
      (digest) => envelopeOf(statementAbout(digest), ({ signatures }) => signatures.unshift(strangers(encodingOf(statementAbout(digest))))),
    ],
    [
      'that was signed twice',
      (digest) =>
        envelopeOf(statementAbout(digest), ({ signatures }) => signatures.push({ sig: signatureOf(encodingOf(statementAbout(digest))) })),
    ],
    [
      'with an empty signature in front of the right one',
      (digest) => envelopeOf(statementAbout(digest), ({ signatures }) => signatures.unshift({ sig: '' })),
    ],
    [
      'whose signature is in the alphabet for addresses',
      (digest) =>
        envelopeOf(statementAbout(digest), ({ signatures }) => signatures.forEach((one) => void (one.sig = forAddresses(one.sig)))),
    ],
  ])('%s is taken', async (_, make) => expect(await judged('att', make)).toEqual(both))

  it.each<Case>([
    ['about another image', () => envelopeOf(statementAbout(elsewhere))],
    ['of another type', (digest) => restated(digest, predicateType, 'https://example.com/other')],
    ['of another type that begins alike', (digest) => restated(digest, predicateType, `${predicateType}/`)],
    [
      'of another type, whose annotation says this one',
      (digest) => ({
        ...restated(digest, predicateType, 'https://example.com/other'),
        annotations: { 'dev.cosignproject.cosign/signature': '', predicateType },
      }),
    ],
    ['of two types', (digest) => restated(digest, '"predicateType"', '"predicateType":"https://example.com/other","predicateType"')],
    [
      'of this type and another in capitals',
      (digest) => restated(digest, '"predicate":', '"PredicateType":"https://example.com/other","predicate":'),
    ],
    ['of another payload type', (digest) => envelopeOf(statementAbout(digest), undefined, 'application/json')],
    [
      'whose payload type was changed',
      (digest) =>
        envelopeOf(statementAbout(digest), (envelope) => {
          envelope.payloadType = 'application/json'
        }),
    ],
    [
      'whose payload was changed',
      (digest) =>
        envelopeOf(statementAbout(elsewhere), (envelope) => {
          envelope.payload = Buffer.from(statementAbout(digest)).toString('base64')
        }),
    ],
    [
      'with the signature of its bytes alone',
      (digest) =>
        envelopeOf(statementAbout(digest), ({ signatures: [first] }) =>
          Object.assign(first ?? {}, { sig: signatureOf(statementAbout(digest)) }),
        ),
    ],
    [
      'without a signature',
      (digest) =>
        envelopeOf(statementAbout(digest), (envelope) => {
          envelope.signatures = []
        }),
    ],
    [
      'that strangers alone have signed',
      (digest) =>
        envelopeOf(statementAbout(digest), (envelope) => {
          envelope.signatures = [strangers(encodingOf(statementAbout(digest))), strangers(encodingOf(statementAbout(digest)))]
        }),
    ],
    [
      'of which one signature is over something else, and the other by a stranger',
      (digest) =>
        envelopeOf(statementAbout(digest), (envelope) => {
          envelope.signatures = [{ sig: signatureOf('something else') }, strangers(encodingOf(statementAbout(digest)))]
        }),
    ],
    [
      'of which one signature is no base64',
      (digest) => envelopeOf(statementAbout(digest), ({ signatures }) => signatures.push({ sig: '***' })),
    ],
    [
      'whose payload is in the alphabet for addresses',
      (digest) =>
        envelopeOf(statementAbout(digest).replace('12', '12,"sign":"???>>>"'), (envelope) => {
          envelope.payload = forAddresses(envelope.payload)
        }),
    ],
    ['that is a payload', (digest) => envelopeOf(payloadAbout(digest))],
    ['that is no envelope', (digest) => signedPayload(statementAbout(digest))],
  ])('%s is refused', async (_, make) => expect(await judged('att', make)).toEqual(neither))

  it.each<Case>([['of an unknown version', (digest) => restated(digest, 'Statement/v0.1', 'Statement/v9')]])(
    '%s is taken by cosign alone',
    async (_, make) => expect(await judged('att', make)).toEqual(cosignOnly),
  )
})
