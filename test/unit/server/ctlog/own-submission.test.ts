import { afterEach, expect, it } from 'vitest'
import { loadTrustMaterial } from '../../../../src/trust/trust-material.ts'
import { verifyCertificate, verifyScts } from '../../../../src/verify/certificate.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import type { TestCa } from '../../../support/certificate-authority.ts'
import { proofRequest, testCa } from '../../../support/certificate-authority.ts'
import type { TestCtLog } from '../../../support/ct.ts'
import { leafOptions, preChain, testCtLog } from '../../../support/ct.ts'
import { issue } from '../../../support/universe/certificates.ts'
import { universeOf } from '../../../support/universe/services.ts'

const universe = universeOf({ name: 'ct own', rootKey: 'p256', issuingKey: 'p256' })
const strange = universeOf({ name: 'ct strange', rootKey: 'p256', issuingKey: 'p256' })
const opened: (TestCtLog | TestCa)[] = []

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function open(): Promise<TestCtLog> {
  const log = await testCtLog(universe)
  opened.push(log)
  return log
}

/** A chain of ours whose precertificate has a broken signature. */
function unsigned(number: number): Uint8Array[] {
  const [leaf = new Uint8Array(), ...issuers] = preChain(universe, number)
  const bent = Uint8Array.from(leaf)
  bent[bent.length - 1] = (bent[bent.length - 1] ?? 0) ^ 1
  return [bent, ...issuers]
}

it("an authority's own precertificate is logged as any other, and has the same SCT", async () => {
  const { service, log } = await open()
  const chain = preChain(universe, 1)
  const { sct, signedBytes } = await service.addOwnPreChain(chain)
  expect(await service.addPreChain(chain)).toEqual(sct)
  expect(await log.entries(0n, 1)).toMatchObject([{ leaf: signedBytes }])
  expect((await log.head()).size).toBe(1n)
})

it('the signature of the first one is verified: an authority that signs with the wrong key is found out', async () => {
  const { service } = await open()
  await expect(service.addOwnPreChain(unsigned(1))).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  await service.addOwnPreChain(preChain(universe, 2))
  await service.addOwnPreChain(unsigned(3))
  await expect(service.addPreChain(unsigned(4))).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
})

it('everything but that signature is checked of later ones too', async () => {
  const { service, log } = await open()
  await service.addOwnPreChain(preChain(universe, 1))
  const [, ...issuers] = preChain(universe, 2)
  const [foreign = new Uint8Array(), ...foreignIssuers] = preChain(strange, 2)
  const plain = issue(leafOptions(universe, 3), universe.intermediate).der
  for (const chain of [[], [plain, ...issuers], [foreign, ...foreignIssuers], [Uint8Array.of(0x30, 0), ...issuers]]) {
    await expect(service.addOwnPreChain(chain)).rejects.toThrow()
  }
  expect((await log.head()).size).toBe(1n)
})

it('strangers cannot reach this way', async () => {
  const { submit } = await open()
  expect((await submit('add-pre-chain', preChain(universe, 1))).status).toBe(200)
  expect((await submit('add-pre-chain', unsigned(2))).status).toBe(400)
})

it('an authority that uses it gives certificates that the verifier takes', async () => {
  const log = await open()
  const ca = await testCa({ universe, log: { addOwnPreChain: (chain) => log.service.addOwnPreChain(chain) } })
  opened.push(ca)
  const trust = loadTrustMaterial(universe.trustedRoot())
  for (let number = 0; number < 3; number++) {
    const email = `dev${number}@example.com`
    const body = proofRequest(ca.issuer.token({ email, email_verified: true }), email)
    const answer = (await (await ca.post('/api/v2/signingCert', body)).json()) as {
      signedCertificateEmbeddedSct: { chain: { certificates: [string] } }
    }
    const [pem] = answer.signedCertificateEmbeddedSct.chain.certificates
    const leaf = parseCertificate(Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\n/g, ''), 'base64'))
    expect(verifyScts(verifyCertificate(leaf, trust, [universe.time]), trust, 1, undefined, [])).toHaveLength(1)
  }
})
