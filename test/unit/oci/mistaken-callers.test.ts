/** Programs that verify images and are mistaken: none of them gets a yes that it did not ask for, and each is told what is wrong. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRepository } from '../../../src/oci/open-repository.ts'
import { verifyImage } from '../../../src/oci/verified-image.ts'
import type { VerifiedImageResult } from '../../../src/oci/verified-image.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { FakeRegistry } from '../../support/registry-fake.ts'
import { digestOf, startFakeRegistry } from '../../support/registry-fake.ts'
import { app, attachBundle, imageAttestation, imageSignature, putImage } from '../../support/signed-image.ts'
import { identity, issuer, universeOf } from '../../support/universe/universe.ts'

const universe = universeOf()
const trust = loadTrustMaterial(universe.trustedRoot())
const who = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] } as const
const demands = { now: new Date(universe.time) }

let registry: FakeRegistry
let image = ''
beforeEach(async () => {
  registry = await startFakeRegistry()
  image = putImage(registry)
})
afterEach(() => registry.stop())

/** Options as a program without types may give them. */
function verify(options: Readonly<Record<string, unknown>>): Promise<VerifiedImageResult> {
  const repository = openRepository(`${registry.host}/${app}`, { env: {} })
  return verifyImage(repository, 'v1', { signer: who, trust, demands, ...options })
}

describe('a demand that is undefined', () => {
  it.each(['log', 'scts'])('is the default, not none: %s', async (name) => {
    attachBundle(registry, image, imageSignature(image, name === 'log' ? { log: 'none', timestamps: [{}] } : { scts: [] }).json)
    await expect(verify({ demands: { ...demands, [name]: undefined } })).rejects.toThrow(name === 'log' ? /log entries/ : /SCT/)
    expect((await verify({ demands: { ...demands, [name]: false } })).verified).toHaveLength(1)
  })

  it('of claims is that they are checked', async () => {
    attachBundle(registry, image, imageSignature(digestOf('another image')).json)
    await expect(verify({ checkClaims: undefined })).rejects.toThrow(/does not match any digest in statement/)
  })
})

describe('options are refused', () => {
  beforeEach(() => {
    attachBundle(registry, image, imageSignature(image).json)
    attachBundle(registry, image, imageAttestation(image).json)
  })

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['without a signer', { signer: undefined }, /the signer should be of the kind "key" or "certificate", found undefined/],
    ['with identities without their kind', { signer: { identities: who.identities } }, /of the kind "key" or "certificate"/],
    ['with no identity', { signer: { kind: 'certificate', identities: [] } }, /found none/],
    ['with trust that is still to come', { trust: Promise.resolve(trust) }, /once it was awaited, found a Promise/],
    ['with claims that are null', { checkClaims: null }, /checkClaims should be true or false, found null/],
    ['with a text for no', { acceptAttestations: 'false' }, /acceptAttestations should be true or false, found a string/],
    ['with a log that is null', { demands: { ...demands, log: null } }, /log should be true or false, found null/],
    ['with a number for a log', { demands: { ...demands, log: 0 } }, /log should be true or false, found 0/],
    ['with a demand that nobody knows', { demands: { ...demands, logs: true } }, /found "logs"/],
    ['with demands that are null', { demands: null }, /the demands should be an object, found null/],
    ['with a time that is none', { demands: { now: new Date(Number.NaN) } }, /the time of the demands should be a valid Date/],
    ['with an annotation that is undefined', { annotations: { env: undefined } }, /the annotation "env" should be a text, found undefined/],
    ['with an annotation that is a number', { annotations: { build: 1 } }, /the annotation "build" should be a text, found 1/],
    ['with annotations in a Map', { annotations: new Map([['env', 'prod']]) }, /annotations should be an object, found a Map/],
    ['with annotations that are null', { annotations: null }, /annotations should be an object, found null/],
    ['with an option that is misspelt', { annotation: { env: 'prod' } }, /found "annotation"/],
    [
      'with another name for a signature',
      { wanted: 'signatures' },
      /should be "signature", or \{ predicateType \} of an attestation, found "signatures"/,
    ],
    ['with the name of an attestation only', { wanted: 'attestation' }, /or \{ predicateType \} of an attestation/],
    ['with nothing that is wanted', { wanted: null }, /what is wanted should be an object, found null/],
    ['with a type that is misspelt', { wanted: { predicatetype: 'x' } }, /found "predicatetype"/],
    ['with no type', { wanted: {} }, /is its predicateType: undefined for any/],
    ['with a type that is null', { wanted: { predicateType: null } }, /predicateType should be a text.*found null/],
  ])('%s', async (_, options, message) => {
    await expect(verify(options)).rejects.toMatchObject({ code: 'POLICY_INVALID', message: expect.stringMatching(message) as string })
  })
})

describe('a signature of the image', () => {
  it('is no attestation, whatever type will do', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    await expect(verify({ wanted: { predicateType: undefined } })).rejects.toThrow(/it is a signature of the image, which attests nothing/)
    attachBundle(registry, image, imageAttestation(image).json)
    const { verified } = await verify({ wanted: { predicateType: undefined } })
    expect(verified.map(({ evidence }) => evidence.statement?.predicateType)).toEqual(['https://slsa.dev/provenance/v1'])
  })
})

describe('what the caller changes while registries are asked', () => {
  it('is not what is verified', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    const mine = { subjectAlternativeName: 'somebody@example.com', issuer }
    const annotations: Record<string, string> = { env: 'prod' }
    const byAnother = verify({ signer: { kind: 'certificate', identities: [mine] } })
    const annotated = verify({ annotations })
    mine.subjectAlternativeName = identity
    delete annotations['env']
    await expect(byAnother).rejects.toThrow(/none of the expected identities/)
    await expect(annotated).rejects.toThrow(/annotation/)
  })
})
