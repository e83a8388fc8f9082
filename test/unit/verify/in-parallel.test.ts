import { describe, expect, it } from 'vitest'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import type { TrustMaterial } from '../../../src/trust/trust-material.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { verify, verifyInParallel } from '../../../src/verify/verify.ts'
import { issue } from '../../support/universe/certificates.ts'
import type { SignedBundle, SigningOptions, TrustedRootJson } from '../../support/universe/universe.ts'
import { epoch, namedKey, signBlob, universeOf } from '../../support/universe/universe.ts'
import { policyFor, refusalOf } from '../../support/universe/verification.ts'

const universe = universeOf()
const validity = { notBefore: epoch - 86_400_000, notAfter: epoch + 86_400_000 }
const namesake = issue({ key: namedKey('namesake', 'p384'), name: 'intermediate', ca: true, ...validity })
const ofNamesake = { issuedBy: { ...namesake, subjectKeyIdentifier: universe.intermediate.subjectKeyIdentifier } }

async function inParallel(signed: SignedBundle, trust: TrustMaterial): Promise<ReturnType<typeof refusalOf>> {
  try {
    await verifyInParallel(parseBundle(signed.json), trust, policyFor(signed))
    return undefined
  } catch (error) {
    return refusalOf(() => {
      throw error
    })
  }
}

function alone(signed: SignedBundle, trust: TrustMaterial): ReturnType<typeof refusalOf> {
  return refusalOf(() => verify(parseBundle(signed.json), trust, policyFor(signed)))
}

/** Spoils the signature of the intermediate, which is at the end of its certificate. */
function spoilIntermediate(root: TrustedRootJson): void {
  const certificate = root.certificateAuthorities[0]?.certChain.certificates[0]
  if (certificate === undefined) throw new Error('a chain was expected')
  const der = Buffer.from(certificate.rawBytes, 'base64')
  der.writeUInt8((der.at(-1) ?? 0) ^ 1, der.length - 1)
  certificate.rawBytes = der.toString('base64')
}

describe('verification that leaves certificates to other threads', () => {
  it.each<readonly [string, SigningOptions, (root: TrustedRootJson) => void]>([
    ['a certificate by a namesake of the authority', ofNamesake, () => {}],
    ['an intermediate whose signature is spoilt', {}, spoilIntermediate],
    ['a certificate that has expired', { certificate: { notAfter: epoch - 3_600_000 } }, () => {}],
    ['an entry about something else', { bendBody: (parts) => ({ ...parts, signature: new Uint8Array(70) }) }, () => {}],
    ['both an entry about something else and a wrong certificate', { ...ofNamesake, body: '{}' }, () => {}],
    ['a signature by another key', { signer: namedKey('other') }, () => {}],
    ['an authority that is not trusted', {}, (root) => root.certificateAuthorities.splice(0)],
  ])('refuses %s, in the same words', async (_, options, bend) => {
    const signed = signBlob(options)
    const root = universe.trustedRoot(bend)
    const refused = await inParallel(signed, loadTrustMaterial(root))
    expect(refused).toBeDefined()
    expect(refused).toEqual(alone(signed, loadTrustMaterial(root)))
  })

  it.each(['p256', 'p384', 'p521', 'rsa', 'ed25519'] as const)('takes what authorities with %s keys have issued', async (kind) => {
    const signed = signBlob({ universe: universeOf({ rootKey: kind, issuingKey: kind }) })
    expect(await inParallel(signed, loadTrustMaterial(signed.universe.trustedRoot()))).toBeUndefined()
  })

  it('tells the good from the bad when many are verified at once with the same trust', async () => {
    const trust = loadTrustMaterial(universe.trustedRoot())
    const signed = Array.from({ length: 24 }, (_, index) => signBlob(index % 3 === 0 ? ofNamesake : { key: namedKey(`signer ${index}`) }))
    const refused = await Promise.all(signed.map((one) => inParallel(one, trust)))
    expect(refused.map((one) => one?.code)).toEqual(signed.map((_, index) => (index % 3 === 0 ? 'CERTIFICATE_UNTRUSTED' : undefined)))
  })
})
