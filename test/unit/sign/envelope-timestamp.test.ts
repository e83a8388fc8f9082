import { afterEach, describe, expect, it } from 'vitest'
import type { DsseEnvelope } from '../../../src/bundle/signed-entity.ts'
import { timestampEnvelope } from '../../../src/sign/envelope-timestamp.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { parseCertificate } from '../../../src/x509/certificate.ts'
import type { SigningServices } from '../../support/signing-services.ts'
import { paths, startServices } from '../../support/signing-services.ts'
import { issueLeaf, universeOf } from '../../support/universe/universe.ts'

const universe = universeOf()
const envelope: DsseEnvelope = {
  kind: 'dsse-envelope',
  payloadType: 'text/plain',
  payload: Uint8Array.of(1),
  signature: Uint8Array.of(2),
  keyId: '',
}
let services: SigningServices | undefined
afterEach(() => services?.stop())

describe('a timestamp over the file of an envelope', () => {
  // The certificate ends at 12:10.
  it.each([
    ['20260115121000Z', true],
    ['20260115121000.0001Z', false],
    ['20260115121001Z', false],
    ['20260115120000Z', true],
    ['20260115115959.9999Z', false],
  ])('of %s is taken where the certificate is valid then, to the last digit: %s', async (genTimeText, isTaken) => {
    services = await startServices(universe, { timestamp: { genTimeText } })
    const certificate = parseCertificate(issueLeaf().der)
    const trust = loadTrustMaterial(universe.trustedRoot())
    const asked = timestampEnvelope(envelope, `${services.url}${paths.timestamp}`, certificate, trust, { env: {} })
    if (isTaken) expect((await asked).length).toBeGreaterThan(0)
    else await expect(asked).rejects.toMatchObject({ code: 'CERTIFICATE_EXPIRED' })
  })
})
