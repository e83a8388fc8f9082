/** Signatures that are verified while others are still on their way: the same answers in the same order, and none before the end. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { findSignatures } from '../../../src/oci/find-signatures.ts'
import type { Findings, FoundSignature } from '../../../src/oci/found-signature.ts'
import { openImageVerifier } from '../../../src/oci/image-verifier.ts'
import type { ImageVerification } from '../../../src/oci/image-verifier.ts'
import { openRepository } from '../../../src/oci/open-repository.ts'
import type { ImagePolicy } from '../../../src/oci/verify-image.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { digestOf, startFakeRegistry } from '../../support/registry-fake.ts'
import {
  attachBundle,
  imageAttestation,
  imageSignature,
  legacySignature,
  putImage,
  putTag,
  signatureLayer,
} from '../../support/signed-image.ts'
import type { KeyKind } from '../../support/universe/keys.ts'
import { identity, issuer, newKey, universeOf } from '../../support/universe/universe.ts'

const universe = universeOf()
const image = digestOf('an image')

function policyWith(changes: Partial<ImagePolicy> = {}): ImagePolicy {
  return {
    signer: { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] },
    trust: loadTrustMaterial(universe.trustedRoot()),
    demands: { log: true, scts: true, signedTimestamps: false, now: new Date(universe.time) },
    wanted: 'signature',
    ...changes,
  }
}

function foundIn(json: string, index: number): FoundSignature {
  const layer = { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', digest: digestOf(json), size: json.length }
  const common = { place: 'referrer', manifest: image, layer, index, payload: undefined } as const
  return { ...common, entity: parseBundle(json), bytes: Buffer.from(json), where: `signature ${index}` }
}

function findingsOf(signatures: readonly FoundSignature[]): Findings {
  return { signatures, unreadable: [], looked: [], failures: [] }
}

function told({ verified, refused, others }: ImageVerification): object {
  return {
    verified: verified.map(({ found }) => found.index),
    refused: refused.map(({ found, error }) => [found.index, error.code]),
    others: others.map(({ index }) => index),
  }
}

/** By the authority's name, and not by its key: what another thread looks at. Everything else about it is right. */
function byImpostor(of = universe, kind: KeyKind = 'p384'): string {
  return imageSignature(image, { universe: of, key: newKey(), issuedBy: { ...of.intermediate, key: newKey(kind) } }).json
}

const signed = (): string => imageSignature(image, { key: newKey() }).json

describe('signatures', () => {
  it('are told in the order that they were found in, whichever was verified first', async () => {
    const found = [signed(), imageSignature(digestOf('another')).json, imageAttestation(image).json, byImpostor(), signed()]
    const signatures = found.map(foundIn)
    const verifier = openImageVerifier(image, () => Promise.resolve(policyWith()))
    for (const one of signatures.toReversed()) verifier.begin(one)
    const expected = {
      verified: [0, 4],
      refused: [
        [1, 'ARTIFACT_MISMATCH'],
        [3, 'CERTIFICATE_UNTRUSTED'],
      ],
      others: [2],
    }
    expect(told(await verifier.finish(findingsOf(signatures)))).toEqual(expected)
    const later = openImageVerifier(image, () => Promise.resolve(policyWith()))
    expect(told(await later.finish(findingsOf(signatures)))).toEqual(expected)
  })

  it('that were begun with and are not among the findings do not count', async () => {
    const verifier = openImageVerifier(image, () => Promise.resolve(policyWith()))
    verifier.begin(foundIn(signed(), 0))
    expect(told(await verifier.finish(findingsOf([])))).toEqual({ verified: [], refused: [], others: [] })
  })

  it.each(['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const)(
    'are verified with certificates of an authority with a key of %s',
    async (issuingKey) => {
      const own = universeOf({ issuingKey })
      const trust = loadTrustMaterial(own.trustedRoot())
      const signatures = [imageSignature(image, { universe: own, key: newKey() }).json, byImpostor(own, issuingKey)].map(foundIn)
      const verifier = openImageVerifier(image, () => Promise.resolve(policyWith({ trust })))
      for (const one of signatures) verifier.begin(one)
      const verification = await verifier.finish(findingsOf(signatures))
      expect(told(verification)).toMatchObject({ verified: [0], refused: [[1, 'CERTIFICATE_UNTRUSTED']] })
      expect(verification.refused[0]?.error.message).toMatch(/the signature of the certificate does not verify with the key of/)
    },
  )

  it('are none when the policy cannot be loaded, which is told once, at the end', async () => {
    const verifier = openImageVerifier(image, () => Promise.reject(new Error('no trusted root')))
    const found = foundIn(signed(), 0)
    verifier.begin(found)
    verifier.begin(found)
    await expect(verifier.finish(findingsOf([found]))).rejects.toThrow('no trusted root')
  })

  it('are told of while others are not there yet', async () => {
    const registry = await startFakeRegistry()
    onTestFinished(() => registry.stop())
    const digest = putImage(registry)
    attachBundle(registry, digest, imageSignature(digest).json)
    const last = legacySignature(digest)
    putTag(registry, digest, [signatureLayer(registry, last)])
    const early: string[] = []
    let letGo = (): void => undefined
    const seen = new Promise<void>((resolve) => (letGo = resolve))
    // The payload under the tag is kept back until the referrer was told of.
    registry.rule(/GET \/v2\/app\/manifests\/sha256-.*\.sig/, () => seen)
    const { signatures } = await findSignatures(openRepository(`${registry.host}/app`, { env: {} }), digest, {
      onFound: ({ place }) => {
        early.push(place)
        letGo()
      },
    })
    expect(early).toEqual(['referrer', 'signature-tag'])
    expect(signatures).toHaveLength(2)
  })
})
