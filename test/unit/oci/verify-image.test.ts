/** What must never pass for a signature of an image, and what must never be refused, wherever and however it is stored. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parsePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { openRepository } from '../../../src/oci/open-repository.ts'
import { verifyImage } from '../../../src/oci/verified-image.ts'
import type { VerifiedImageResult, VerifyImageOptions } from '../../../src/oci/verified-image.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { FakeRegistry } from '../../support/registry-fake.ts'
import { answer, digestOf, ociIndex, ociManifest, startFakeRegistry } from '../../support/registry-fake.ts'
import {
  app,
  attachBundle,
  attestationLayer,
  imageAttestation,
  imageSignature,
  legacySignature,
  putImage,
  putTag,
  signatureLayer,
  signStatementAbout,
  subjectOf,
} from '../../support/signed-image.ts'
import { pemOf } from '../../support/universe/certificates.ts'
import { bent } from '../../support/universe/bent.ts'
import { identity, issuer, namedKey, signBlob, universeOf } from '../../support/universe/universe.ts'
import type { SignedBundle } from '../../support/universe/universe.ts'

const universe = universeOf()
const trust = loadTrustMaterial(universe.trustedRoot())
const who = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] } as const
const manager = namedKey('manager')
const withKey = { kind: 'key', key: parsePublicKeyPem(manager.pem) } as const
const managed = { managed: true, key: manager } as const

let registry: FakeRegistry
let image = ''
beforeEach(async () => {
  registry = await startFakeRegistry()
  image = putImage(registry)
})
afterEach(() => registry.stop())

function verify(options: Partial<VerifyImageOptions> = {}, target = 'v1', repository = app): Promise<VerifiedImageResult> {
  const { now = new Date(universe.time) } = options.demands ?? {}
  return verifyImage(openRepository(`${registry.host}/${repository}`, { env: {} }), target, {
    signer: who,
    trust,
    ...options,
    demands: { ...options.demands, now },
  })
}

async function refuses(message: RegExp, options: Partial<VerifyImageOptions> = {}): Promise<void> {
  await expect(verify(options)).rejects.toThrow(message)
}

/** The same signature in every place that one may be in. */
const places: Readonly<Record<string, (signed: { readonly bundle: SignedBundle; readonly layer: SignedBundle }) => void>> = {
  'a referrer': ({ bundle }) => attachBundle(registry, image, bundle.json),
  'the .sig tag': ({ layer }) => putTag(registry, image, [signatureLayer(registry, layer)]),
  'a referrer of cosign 2': ({ layer }) => {
    const manifest = {
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: 'application/vnd.dev.cosign.artifact.sig.v1+json', digest: digestOf('{}'), size: 2 },
      layers: [signatureLayer(registry, layer)],
      subject: { mediaType: ociManifest, digest: image, size: 1 },
    }
    registry.put(app, manifest)
  },
}

for (const [place, put] of Object.entries(places)) {
  const sign = (digest = image, options = {}) => ({ bundle: imageSignature(digest, options), layer: legacySignature(digest, options) })

  describe(`a signature in ${place}`, () => {
    it('is verified, by certificate', async () => {
      put(sign())
      const { digest, verified } = await verify()
      expect(digest).toBe(image)
      expect(verified.map(({ evidence }) => evidence.signer)).toMatchObject([
        { kind: 'certificate', identity: { value: identity }, issuer },
      ])
      expect(verified[0].evidence.logEntries).toHaveLength(1)
    })

    it('is verified, by key', async () => {
      put(sign(image, managed))
      expect((await verify({ signer: withKey })).verified).toHaveLength(1)
    })

    it('of another image is refused', async () => {
      put(sign(digestOf('another image')))
      await refuses(/invalid or missing digest in claim|does not match any digest in statement/)
    })

    it('of another image counts where claims are not checked', async () => {
      put(sign(digestOf('another image')))
      expect((await verify({ checkClaims: false })).verified).toHaveLength(1)
    })

    it('by somebody else is refused', async () => {
      put(sign(image, { subjects: [{ uri: 'https://github.com/somebody/else' }] }))
      await refuses(/expected SAN value|none of the expected identities|identit/i)
    })

    it('vouched for by another issuer is refused', async () => {
      put(sign(image, { oidcIssuer: 'https://issuer.example' }))
      await refuses(/issuer/)
    })

    it('with another key is refused', async () => {
      put(sign(image, { managed: true, key: namedKey('stranger') }))
      await refuses(/signature|key/, { signer: withKey })
    })

    it('made with another key than that of its certificate is refused', async () => {
      put(sign(image, { signer: namedKey('stranger') }))
      await refuses(/invalid signature/)
    })

    it('that no log has recorded is refused, with certificate and with key', async () => {
      put(sign(image, { log: 'none', timestamps: [{}] }))
      await refuses(/log/)
      put(sign(image, { ...managed, log: 'none' }))
      await refuses(/log/, { signer: withKey })
    })

    it('that no log has recorded counts where none is demanded', async () => {
      put(sign(image, { ...managed, log: 'none' }))
      expect((await verify({ signer: withKey, demands: { log: false } })).verified).toHaveLength(1)
    })

    it('recorded in the log for something else is refused', async () => {
      put(sign(image, { bendBody: (body: object) => ({ ...body, digest: new Uint8Array(32) }) }))
      await refuses(/log|entry/i)
    })

    it('with a certificate that had expired is refused', async () => {
      put(sign(image, { certificate: { notBefore: universe.time - 120_000, notAfter: universe.time - 60_000 } }))
      await refuses(/expired|valid/)
    })

    it('with a certificate of another authority is refused', async () => {
      put(sign(image, { issuedBy: universeOf({ name: 'foreign' }).intermediate }))
      await refuses(/certificate/)
    })

    it('with a key is no signature with a certificate, and the other way round', async () => {
      put(sign(image, managed))
      await refuses(/found one with a public key/)
      registry.manifests.clear()
      putImage(registry)
      put(sign(image, { key: manager }))
      await refuses(/found one with a certificate/, { signer: withKey })
    })

    it('must say the annotations that are asked for', async () => {
      put({
        bundle: imageSignature(image, { statement: signStatementAbout(image, { subject: [subjectOf(image, { env: 'prod' })] }) }),
        layer: legacySignature(image, {}, { env: 'prod' }),
      })
      expect((await verify({ annotations: { env: 'prod' } })).verified).toHaveLength(1)
      await refuses(/missing or incorrect annotation: "env" should be "dev", it is "prod"/, { annotations: { env: 'dev' } })
      await refuses(/missing or incorrect annotation: "team" should be "a", it is not there/, { annotations: { env: 'prod', team: 'a' } })
      await refuses(/missing or incorrect annotation/, { annotations: { constructor: 'x' } })
    })
  })
}

describe('a statement that is no signature of the image', () => {
  it('does not count as one, unless that is asked for', async () => {
    attachBundle(registry, image, imageAttestation(image).json)
    await refuses(/nothing was found/)
    expect((await verify({ acceptAttestations: true })).verified).toHaveLength(1)
  })

  it('does not count because its manifest says that it is one', async () => {
    attachBundle(registry, image, imageAttestation(image).json, {
      bend: (manifest) => {
        manifest['annotations'] = { 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' }
      },
    })
    await refuses(/nothing was found/)
  })

  it('does not count because it has two predicate types', async () => {
    for (const types of [
      ['https://sigstore.dev/cosign/sign/v1', 'https://slsa.dev/provenance/v1'],
      ['https://slsa.dev/provenance/v1', 'https://sigstore.dev/cosign/sign/v1'],
    ]) {
      const statement = JSON.stringify(signStatementAbout(image, { predicateType: types[0] })).replace(
        /\}$/,
        `,"predicateType":${JSON.stringify(types[1])}}`,
      )
      attachBundle(registry, image, imageSignature(image, { statement }).json)
    }
    await refuses(/duplicate|twice/)
  })

  it('does not count under the .sig tag either', async () => {
    putTag(registry, image, [attestationLayer(registry, imageAttestation(image)), attestationLayer(registry, imageSignature(image))])
    await refuses(/nothing was found/)
  })

  it('of another payload type than in-toto is refused', async () => {
    attachBundle(registry, image, imageSignature(image, { payloadType: 'application/json' }).json)
    await refuses(/in-toto/)
  })

  it('is found as an attestation, and a signature of the image is not', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    const wanted = { predicateType: 'https://slsa.dev/provenance/v1' }
    await refuses(/invalid predicate type/, { wanted })
    attachBundle(registry, image, imageAttestation(image).json)
    const { verified, refused } = await verify({ wanted })
    expect(verified.map(({ evidence }) => evidence.statement?.predicateType)).toEqual(['https://slsa.dev/provenance/v1'])
    expect(refused).toHaveLength(1)
  })

  it('is found under the .att tag, and a simple signature there is not', async () => {
    const wanted = { predicateType: undefined }
    putTag(registry, image, [signatureLayer(registry, legacySignature(image))], 'att')
    await refuses(/nothing was found/, { wanted })
    putTag(registry, image, [attestationLayer(registry, imageAttestation(image, managed))], 'att')
    expect((await verify({ wanted, signer: withKey })).verified).toHaveLength(1)
  })

  it('about another image is no attestation of this one', async () => {
    attachBundle(registry, image, imageAttestation(digestOf('another image')).json)
    await refuses(/does not match any digest in statement/, { wanted: { predicateType: undefined } })
  })
})

describe('a statement about several subjects', () => {
  const other = digestOf('another image')

  it('is about each of them', async () => {
    attachBundle(
      registry,
      image,
      imageSignature(image, { statement: signStatementAbout(image, { subject: [subjectOf(other), subjectOf(image)] }) }).json,
    )
    expect((await verify()).verified).toHaveLength(1)
  })

  it('says of one what it says, and not of another', async () => {
    const subject = [subjectOf(other, { env: 'prod' }), subjectOf(image, { env: 'dev' })]
    attachBundle(registry, image, imageSignature(image, { statement: signStatementAbout(image, { subject }) }).json)
    await refuses(/"env" should be "prod", it is "dev"/, { annotations: { env: 'prod' } })
  })

  it('does not gather annotations from two subjects', async () => {
    const subject = [subjectOf(image, { env: 'prod' }), subjectOf(image, { team: 'a' })]
    attachBundle(registry, image, imageSignature(image, { statement: signStatementAbout(image, { subject }) }).json)
    await refuses(/missing or incorrect annotation/, { annotations: { env: 'prod', team: 'a' } })
    expect((await verify({ annotations: { team: 'a' } })).verified).toHaveLength(1)
  })

  it('is refused where one subject is two things at once', async () => {
    const two = { digest: { sha256: image.slice(7), sha512: 'ab'.repeat(64) } }
    attachBundle(registry, image, imageSignature(image, { statement: signStatementAbout(image, { subject: [two] }) }).json)
    expect((await verify()).verified).toHaveLength(1) // The image is known by its SHA-256 only: nothing contradicts that.
    const wrong = { digest: { sha256: other.slice(7), sha512: image.slice(7) } }
    registry.manifests.clear()
    image = putImage(registry)
    attachBundle(registry, image, imageSignature(image, { statement: signStatementAbout(image, { subject: [wrong] }) }).json)
    await refuses(/does not match/)
  })
})

describe('a layer of cosign 1 and 2', () => {
  it('whose payload was signed as a file by somebody else, is theirs', async () => {
    const { artifact } = legacySignature(image)
    putTag(registry, image, [signatureLayer(registry, signBlob({ subjects: [{ uri: 'https://example.com/else' }] }, artifact))])
    await refuses(/identit|SAN/i)
  })

  it('with a key in the place of the certificate does not bring its own trust', async () => {
    const stranger = namedKey('stranger')
    const signed = legacySignature(image, { managed: true, key: stranger })
    putTag(registry, image, [signatureLayer(registry, signed, { 'dev.sigstore.cosign/certificate': stranger.pem })])
    await refuses(/certificate/i)
    await refuses(/certificate|signature/i, { signer: withKey })
  })

  it('with two certificates is refused', async () => {
    const signed = legacySignature(image)
    const other = signBlob({ key: namedKey('other') })
    putTag(registry, image, [
      signatureLayer(registry, signed, { 'dev.sigstore.cosign/certificate': pemOf(signed.certificate) + pemOf(other.certificate) }),
    ])
    await refuses(/should hold one certificate/)
  })

  it('with the log entry of another signature is refused', async () => {
    const other = legacySignature(image)
    const entry = signatureLayer(registry, other).annotations?.['dev.sigstore.cosign/bundle'] ?? ''
    putTag(registry, image, [signatureLayer(registry, legacySignature(image), { 'dev.sigstore.cosign/bundle': entry })])
    await refuses(/log|entry/i)
  })

  it('with a promise that the log did not make is refused', async () => {
    const layer = signatureLayer(registry, legacySignature(image))
    const entry = JSON.parse(layer.annotations?.['dev.sigstore.cosign/bundle'] ?? '') as { Payload: { integratedTime: number } }
    entry.Payload.integratedTime += 1
    putTag(registry, image, [{ ...layer, annotations: { ...layer.annotations, 'dev.sigstore.cosign/bundle': JSON.stringify(entry) } }])
    await refuses(/promise|signed entry timestamp/i)
  })

  it('whose payload was changed afterwards is refused', async () => {
    const signed = legacySignature(digestOf('another image'))
    putTag(registry, image, [signatureLayer(registry, { ...signed, artifact: legacySignature(image).artifact })])
    await refuses(/invalid signature|entry/)
  })

  it('of a bundle layer under the .sig tag is not taken for a signature', async () => {
    const bundle = imageSignature(image)
    const layer = signatureLayer(registry, { ...bundle, artifact: Buffer.from(bundle.json) })
    putTag(registry, image, [layer])
    await refuses(/./)
  })

  it('is completed by a certificate from elsewhere, and by no other than its own', async () => {
    const signed = legacySignature(image)
    const certificate = { kind: 'certificate', leaf: signed.certificate, chain: [] } as const
    putTag(registry, image, [signatureLayer(registry, signed, { 'dev.sigstore.cosign/certificate': '', 'dev.sigstore.cosign/chain': '' })])
    await refuses(/found one with a public key/)
    expect((await verify({ certificate })).verified).toHaveLength(1)
    const other = { ...certificate, leaf: legacySignature(image, { key: namedKey('other') }).certificate }
    await refuses(/signature|certificate|entry/, { certificate: other })
    putTag(registry, image, [signatureLayer(registry, signed)])
    await refuses(/the cert passed in does not match/, { certificate: other })
  })

  it('with a payload that is no simple signing says nothing about the image', async () => {
    putTag(registry, image, [signatureLayer(registry, signBlob({}, Buffer.from(JSON.stringify({ critical: { image: {} } }))))])
    await refuses(/critical/)
  })
})

describe('a good signature is found', () => {
  it('among 999 bad ones', async () => {
    const bad = imageSignature(image, { signer: namedKey('stranger') })
    for (let at = 0; at < 999; at++) attachBundle(registry, image, `${bad.json}${' '.repeat(at)}`)
    attachBundle(registry, image, imageSignature(image).json)
    const { verified, refused } = await verify()
    expect(verified).toHaveLength(1)
    expect(refused).toHaveLength(999)
  })

  it('under the .sig tag among 999 bad ones', async () => {
    const layers = Array.from({ length: 999 }, (_, at) =>
      signatureLayer(registry, legacySignature(digestOf('other'), {}, { at: String(at) }), { 'dev.sigstore.cosign/bundle': '' }),
    )
    putTag(registry, image, [...layers, signatureLayer(registry, legacySignature(image))])
    expect((await verify()).verified).toHaveLength(1)
  })

  it('beside entries that cannot be read, which are told', async () => {
    attachBundle(registry, image, 'no bundle')
    attachBundle(registry, image, JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }))
    registry.blobs.delete(`${app}@${digestOf('no bundle')}`)
    putTag(registry, image, [
      { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: digestOf('gone'), size: 4 },
      signatureLayer(registry, legacySignature(image)),
    ])
    const { verified, findings } = await verify()
    expect(verified.map(({ found }) => found.place)).toEqual(['signature-tag'])
    expect(findings.unreadable).toHaveLength(3)
  })

  it('beside a layer that names the same payload with another size', async () => {
    const good = signatureLayer(registry, legacySignature(image))
    putTag(registry, image, [{ ...good, size: 1, annotations: {} }, good])
    expect((await verify()).verified).toHaveLength(1)
  })

  it('beside more than is ever read: what is small is read first', async () => {
    for (const size of [8_000_000, 400_000, 400_001, 400_002, 400_003, 400_004]) attachBundle(registry, image, Buffer.alloc(size))
    attachBundle(registry, image, imageSignature(image).json)
    const { verified, findings } = await verify({ maxTotalBytes: 1_000_000 })
    expect(verified).toHaveLength(1)
    expect(findings.unreadable).toContainEqual(expect.stringContaining('exceeds 1000000 bytes'))
  })

  it('where another place cannot be looked into, which is told', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    putTag(registry, image, [signatureLayer(registry, legacySignature(image))])
    const { verified, findings } = await verify()
    expect(verified).toHaveLength(1)
    expect(findings.failures.map(({ message }) => message)).toEqual([expect.stringContaining('answered with status 403')])
  })

  it('on a registry without referrers, whatever its index claims that it is', async () => {
    await registry.stop()
    registry = await startFakeRegistry({ referrers: false })
    image = putImage(registry)
    const digest = attachBundle(registry, image, imageSignature(image).json)
    const descriptor = { mediaType: ociManifest, digest, size: 1, artifactType: 'application/vnd.oci.empty.v1+json' }
    registry.put(app, { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor] }, ociIndex, image.replace(':', '-'))
    expect((await verify()).verified).toHaveLength(1)
  })

  it('once, where the list of referrers names it twice', async () => {
    await registry.stop()
    registry = await startFakeRegistry({ referrers: false })
    image = putImage(registry)
    const digest = attachBundle(registry, image, imageSignature(image).json)
    const descriptor = { mediaType: ociManifest, digest, size: 1 }
    registry.put(app, { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor, descriptor] }, ociIndex, image.replace(':', '-'))
    expect((await verify()).verified).toHaveLength(1)
  })
})

describe('what the library says', () => {
  it('of an image that nobody has signed, with every place that was looked into', async () => {
    await expect(verify()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(
        /^nothing was found that is signed about \S+@sha256:\w+ \(looked into .*0 referrers .*; .*no tag sha256-\w+\.sig\)$/,
      ),
    })
  })

  it('of signatures that do not hold, each with its reason, in the code of the first', async () => {
    attachBundle(registry, image, imageSignature(digestOf('another image')).json)
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, managed))])
    await expect(verify()).rejects.toMatchObject({
      code: 'ARTIFACT_MISMATCH',
      message: expect.stringMatching(/^nothing that is signed about \S+@sha256:\w+ holds: .+ does not match .+; .+\(layer 1\): .+/),
    })
  })
})

describe('nothing is taken for nothing where it is unknown', () => {
  it('what is among the referrers', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    await refuses(/answered with status 403/)
  })

  it('what is in one of them', async () => {
    const digest = attachBundle(registry, image, imageSignature(image).json)
    registry.rule(`GET /v2/${app}/manifests/${digest}`, answer(403))
    await refuses(/answered with status 403/)
  })

  it('what is under the tag', async () => {
    registry.rule(/\.sig$/, answer(401, { 'www-authenticate': 'Basic realm="x"' }))
    await refuses(/status 401/)
  })

  it('what is beyond the limit of referrers', async () => {
    for (let at = 0; at < 11; at++) attachBundle(registry, image, `bundle ${at}`)
    await refuses(/there are 11 referrers .*, more than the 10/, { maxEntries: 10 })
  })
})

describe('a registry that lies', () => {
  it('about the digest of a tag, is not believed about the image of a digest', async () => {
    const other = putImage(registry, 'v2', 'another image')
    attachBundle(registry, other, imageSignature(other).json)
    registry.rule(
      `HEAD /v2/${app}/manifests/${image}`,
      answer(200, { 'docker-content-digest': other, 'content-type': ociManifest, 'content-length': '5' }),
    )
    await expect(verify({}, image)).rejects.toThrow(/nothing was found/)
  })

  it('gives another manifest for a digest: it is not used', async () => {
    const good = attachBundle(registry, image, imageSignature(image).json)
    const other = registry.manifests.get(`${app}@${attachBundle(registry, image, imageAttestation(image).json)}`)
    if (other !== undefined) registry.manifests.set(`${app}@${good}`, other)
    await refuses(/./)
  })

  it('gives another bundle for a digest: it is not used', async () => {
    const bundle = imageSignature(digestOf('another image')).json
    attachBundle(registry, image, bundle)
    registry.blobs.set(`${app}@${digestOf(bundle)}`, Buffer.from(imageSignature(image).json))
    await refuses(/CONTENT_MISMATCH|something else|nothing of it is used|bytes/)
  })

  it('lists the referrer of another image: it is not taken for one of this image', async () => {
    await registry.stop()
    registry = await startFakeRegistry({ referrers: false })
    image = putImage(registry)
    const digest = attachBundle(registry, image, imageSignature(image).json, { subject: digestOf('another image') })
    registry.put(
      app,
      { schemaVersion: 2, mediaType: ociIndex, manifests: [{ mediaType: ociManifest, digest, size: 1 }] },
      ociIndex,
      image.replace(':', '-'),
    )
    await refuses(/listed as a referrer of .* and is about/)
  })

  it('moves the tag while it is asked: what was resolved first is what is verified', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    registry.rule(`GET /v2/${app}/referrers/`, () => {
      putImage(registry, 'v1', 'something else')
    })
    const { digest } = await verify()
    expect(digest).toBe(image)
    await expect(verify()).rejects.toThrow(/nothing was found/)
  })
})

describe('signatures in another repository', () => {
  it('are found there, and not beside the image', async () => {
    attachBundle(registry, image, imageSignature(image).json, { repository: 'signatures' })
    await refuses(/nothing was found/)
    const signatures = openRepository(`${registry.host}/signatures`, { env: {} })
    expect((await verify({ signatures })).verified).toHaveLength(1)
  })
})

describe('a bundle', () => {
  it('that was changed in any way is refused', async () => {
    const { bundle } = imageSignature(image)
    attachBundle(
      registry,
      image,
      JSON.stringify(
        bent(bundle, (_, { entry }) => {
          entry['integratedTime'] = '1'
        }),
      ),
    )
    attachBundle(
      registry,
      image,
      JSON.stringify(
        bent(bundle, (_, { entry }) => {
          entry['logIndex'] = '7'
        }),
      ),
    )
    attachBundle(
      registry,
      image,
      JSON.stringify(
        bent(bundle, (copy) => {
          const envelope = copy['dsseEnvelope'] as { payload: string }
          envelope.payload = Buffer.from(JSON.stringify(signStatementAbout(image, { predicate: { x: 1 } }))).toString('base64')
        }),
      ),
    )
    await expect(verify()).rejects.toThrow(/./)
  })

  it('over the digest of the image itself counts', async () => {
    const stored = registry.manifests.get(`${app}@${image}`)
    attachBundle(registry, image, signBlob({}, stored?.bytes).json)
    expect((await verify()).verified).toHaveLength(1)
  })

  it('over other content does not', async () => {
    attachBundle(registry, image, signBlob().json)
    await refuses(/./)
  })
})
