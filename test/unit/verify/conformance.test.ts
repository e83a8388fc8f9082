import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import type { SignedEntity } from '../../../src/bundle/signed-entity.ts'
import { digest } from '../../../src/crypto/digest.ts'
import { parsePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { CountersignError } from '../../../src/error.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import type { Artifact } from '../../../src/verify/artifact.ts'
import { artifactFromBytes, artifactFromDigests } from '../../../src/verify/artifact.ts'
import type { Evidence } from '../../../src/verify/evidence.ts'
import type { Policy } from '../../../src/verify/policy.ts'
import { verify } from '../../../src/verify/verify.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import type { ConformanceCase } from '../../support/public-data.ts'
import { conformanceCases, hasPublicData, publicGoodTrust, readPublic } from '../../support/public-data.ts'

function run(testCase: ConformanceCase, artifact: Artifact): Evidence {
  const signer =
    testCase.key === undefined
      ? { kind: 'certificate' as const, identities: [{ subjectAlternativeName: testCase.identity, issuer: testCase.issuer }] }
      : { kind: 'key' as const, key: parsePublicKeyPem(readFileSync(testCase.key, 'utf8')) }
  const trust = loadTrustMaterial(readFileSync(testCase.trustedRoot))
  return verify(parseBundle(readFileSync(testCase.bundle)), trust, { artifact, signer })
}

describe.skipIf(!hasPublicData)('the public conformance cases', () => {
  for (const testCase of conformanceCases()) {
    const contents = (): Uint8Array => readFileSync(testCase.artifact)
    const forms: readonly (readonly [string, () => Artifact])[] = [
      ['file', () => artifactFromBytes(contents())],
      ['digest', () => artifactFromDigests({ sha256: digest('sha256', contents()) })],
    ]
    for (const [form, artifact] of forms) {
      if (testCase.mustFail) {
        it(`${testCase.name} (${form}) is refused with an error of ours`, () => {
          expect(() => run(testCase, artifact())).toThrow(CountersignError)
        })
      } else {
        it(`${testCase.name} (${form}) verifies`, () => {
          expect(run(testCase, artifact()).logEntries).toHaveLength(1)
        })
      }
    }
  }
})

describe.skipIf(!hasPublicData)('real bundles of the public instance', () => {
  const subject =
    '7bea9f6e7ff37f5fab0b36bf061200fff03099fd2fd696b91d04bc5e4f225eb9fd6e0cadcad54ba980f43fb352a99e8810b4e0abeb5c0ef2cf9108cd1f258b36'
  const issuer = 'https://github.com/login/oauth'
  const artifact = artifactFromDigests({ sha512: Buffer.from(subject, 'hex') })
  /** The signers are people: their names stay in the bundles. */
  const signerOf = ({ keyMaterial }: SignedEntity): string =>
    keyMaterial.kind === 'certificate' ? (parseCertificate(keyMaterial.leaf).subjectAlternativeNames[0]?.value ?? '') : ''
  const policyFor = (subjectAlternativeName: string, from = issuer): Policy => ({
    artifact,
    signer: { kind: 'certificate', identities: [{ subjectAlternativeName, issuer: from }] },
  })
  const names = ['bundleV01-dsse-with-proof', 'bundleV01-full-cert-chain', 'bundleV02-intoto', 'bundleV03-dsse']

  for (const name of names) {
    it(`${name} verifies, and says who signed what when`, () => {
      const entity = parseBundle(readPublic('bundles', `${name}.sigstore`))
      const evidence = verify(entity, publicGoodTrust(), policyFor(signerOf(entity)))
      expect(evidence.signer).toMatchObject({ kind: 'certificate', issuer, identity: { kind: 'email' } })
      expect(evidence.statement?.subjects[0]?.digests.get('sha512')).toBe(subject)
      expect(evidence.times[0]?.source).toBe('transparency-log')
      expect(evidence.logEntries[0]?.logUrl).toBe('https://rekor.sigstore.dev')
    })

    it(`${name} is refused for another subject, another identity and another issuer`, () => {
      const entity = parseBundle(readPublic('bundles', `${name}.sigstore`))
      const trust = publicGoodTrust()
      const refusedFor = (policy: Policy): void => expect(() => verify(entity, trust, policy)).toThrow(CountersignError)
      refusedFor({
        ...policyFor(signerOf(entity)),
        artifact: artifactFromDigests({ sha512: Buffer.from(subject.replace('7', '8'), 'hex') }),
      })
      refusedFor(policyFor(signerOf(entity).slice(0, -1)))
      refusedFor(policyFor(signerOf(entity).toUpperCase()))
      refusedFor(policyFor(signerOf(entity), 'https://github.com/login'))
    })
  }
})
