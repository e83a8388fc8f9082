/** The public key of a certificate, parsed once per certificate, so that its import into OpenSSL happens once, too. */
import type { PublicKey } from '../crypto/public-key.ts'
import { parsePublicKey } from '../crypto/public-key.ts'
import type { Certificate } from './certificate.ts'

const keys = new WeakMap<Certificate, PublicKey>()

/**
 * The certificate's key.
 * @throws DecodingError KEY_INVALID, KEY_UNSUPPORTED
 */
export function certificateKey(certificate: Certificate): PublicKey {
  const known = keys.get(certificate)
  if (known !== undefined) return known
  const key = parsePublicKey(certificate.spki)
  keys.set(certificate, key)
  return key
}
