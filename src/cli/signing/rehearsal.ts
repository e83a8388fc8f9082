/** Signing once for nobody, while the thread has nothing else to do. */
import { openSecret, sealSecret } from '../../crypto/encrypted-private-key.ts'
import { generatePrivateKey, parsePrivateKey } from '../../crypto/private-key.ts'
import { signContent } from '../../sign/sign-content.ts'
import { signMessage } from '../../sign/signed-content.ts'
import { noServices } from '../../sign/signing-services.ts'
import { emptyTrustMaterial } from '../../trust/trust-material.ts'

const message = Uint8Array.of(0)
const sealingKey = new Uint8Array(32)

/**
 * Opens an encrypted key that nobody else ever has, signs a byte with it, verifies that and forgets all of it. Whatever runs for the first
 * time takes several times as long as later: code is put together, OpenSSL looks up its algorithms. To be called while scrypt works on
 * another thread, so that the signature that is wanted does not have to wait for any of this once its key is there. What goes wrong is
 * left for that signature to say.
 */
export function rehearseSigning(): Promise<void> {
  return signForNobody().catch(() => undefined)
}

async function signForNobody(): Promise<void> {
  const sealed = await sealSecret(generatePrivateKey('ecdsa-p256').encodePkcs8(), sealingKey)
  const signer = parsePrivateKey(await openSecret(sealed, sealingKey)).createSigner()
  const options = { services: noServices, trust: emptyTrustMaterial, now: 0, env: {} }
  await signContent({ signer, certificate: undefined }, () => signMessage(message, signer), options)
}
