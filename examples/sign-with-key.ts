/** Sign bytes with a key of your own that nobody records, and verify them: no network, no identity. */
import {
  artifactFromBytes,
  emptyTrustMaterial,
  encodePublicKeyPem,
  generateSigner,
  parseBundle,
  parsePublicKeyPem,
  sign,
  verify,
} from 'countersign'

const artifact = new TextEncoder().encode('what is signed')

// Whatever can sign is a signer: a public key, the name of its algorithm, and a function. A KMS is three lines.
const signer = generateSigner('ecdsa-p256')
const { bundle } = await sign(artifact, { signer, witnesses: 'none' })

const key = parsePublicKeyPem(encodePublicKeyPem(signer.publicKey))
verify(
  parseBundle(bundle),
  emptyTrustMaterial,
  { artifact: artifactFromBytes(artifact), signer: { kind: 'key', key } },
  { thresholds: { logEntries: 0 } },
)
console.log('verified')
