/**
 * Makes `scripts/warm-up/`: a bundle of the test universe that the build lets the program verify, and a key that it lets it sign with, so
 * that the code it needs is in V8's code cache; and an image with signatures, for a registry to serve. Run it again when formats change; what it writes is committed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { encryptPrivateKey } from '../src/crypto/encrypted-private-key.ts'
import { generatePrivateKey } from '../src/crypto/private-key.ts'
import { startFakeRegistry } from '../test/support/registry-fake.ts'
import { attachBundle, imageSignature, legacySignature, putImage, putTag, signatureLayer } from '../test/support/signed-image.ts'
import { storedRegistry } from './warm-up-registry.ts'
import { signBlob } from '../test/support/universe/universe.ts'

const signer = { subjects: [{ email: 'warm-up@example.com' }], oidcIssuer: 'https://issuer.example.com', timestamps: [{}] }
const signed = signBlob(signer)
const registry = await startFakeRegistry()
const image = putImage(registry)
attachBundle(registry, image, imageSignature(image, signer).json)
putTag(registry, image, [signatureLayer(registry, legacySignature(image, signer))])
mkdirSync('scripts/warm-up', { recursive: true })
writeFileSync('scripts/warm-up/artifact', signed.artifact)
// Nobody trusts it: its password is no secret.
writeFileSync('scripts/warm-up/cosign.key', await encryptPrivateKey(generatePrivateKey('ecdsa-p256'), Buffer.from('warm-up')))
writeFileSync('scripts/warm-up/bundle.sigstore.json', signed.json)
writeFileSync('scripts/warm-up/trusted_root.json', signed.universe.trustedRoot())
writeFileSync('scripts/warm-up/registry.json', storedRegistry(registry))
await registry.stop()
