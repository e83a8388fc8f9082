/** A timestamp authority of the test universe in the forms that the server takes. */
import type { PrivateKey, LocalSigner } from '../../src/crypto/private-key.ts'
import { parsePrivateKeyPem } from '../../src/crypto/private-key.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import type { TestKey } from './universe/keys.ts'
import type { UniverseOptions } from './universe/services.ts'
import { universeOf } from './universe/services.ts'

export interface TestAuthority {
  readonly signer: LocalSigner
  /** The leaf first, the root last. */
  readonly chain: readonly [Certificate, Certificate]
}

/** The authority of the universe with these options. */
export function timestampAuthorityOf(options: UniverseOptions = {}): TestAuthority {
  const { timestampLeaf, timestampRoot } = universeOf(options)
  return {
    signer: privateKeyOf(timestampLeaf.key).createSigner(),
    chain: [parseCertificate(timestampLeaf.der), parseCertificate(timestampRoot.der)],
  }
}

/** The private key of a test key. */
export function privateKeyOf(key: TestKey): PrivateKey {
  return parsePrivateKeyPem(key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}
