/** What the clients send: made before the clock runs. */
import type { KeyObject } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { digest } from '../../src/crypto/digest.ts'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { encodeBase64 } from '../../src/encoding/base64.ts'
import { encodeUtf8 } from '../../src/encoding/bytes.ts'

/** Distinct entries for Rekor v2, each over a digest of its own and signed with one of 16 keys. */
export function hashedRekordRequests(count: number): Uint8Array[] {
  const keys = Array.from({ length: 16 }, () => generatePrivateKey('ecdsa-p256'))
  return Array.from({ length: count }, (_, number) => {
    const { publicKey, signer } = keyAt(keys, number)
    const artifact = randomBytes(64)
    return json({
      hashedRekordRequestV002: {
        digest: encodeBase64(digest('sha256', artifact)),
        signature: {
          content: encodeBase64(signer.sign(artifact)),
          verifier: { publicKey: { rawBytes: encodeBase64(publicKey.spki) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
        },
      },
    })
  })
}

/** Timestamp requests in JSON, as sigstore-js sends them. */
export function timestampRequests(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => json({ artifactHash: encodeBase64(randomBytes(32)), hashAlgorithm: 'sha256' }))
}

/** What identity tokens for certificates are made with. */
export interface TokenIssuer {
  readonly url: string
  readonly privateKey: KeyObject
  readonly keyId: string
}

/** Requests for certificates, each with a key and a token of its own. */
export async function certificateRequests(count: number, issuer: TokenIssuer): Promise<Uint8Array[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const email = `dev${number}@example.com`
      const key = generatePrivateKey('ecdsa-p256')
      const token = await new SignJWT({ email, email_verified: true })
        .setProtectedHeader({ alg: 'ES256', kid: issuer.keyId })
        .setIssuer(issuer.url)
        .setAudience('sigstore')
        .setSubject(`user-${number}`)
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(issuer.privateKey)
      return json({
        credentials: { oidcIdentityToken: token },
        publicKeyRequest: {
          publicKey: { algorithm: 'ECDSA', content: encodePublicKeyPem(key.publicKey) },
          proofOfPossession: encodeBase64(key.createSigner().sign(encodeUtf8(email))),
        },
      })
    }),
  )
}

function keyAt(keys: readonly ReturnType<typeof generatePrivateKey>[], number: number) {
  const key = keys[number % keys.length]
  if (key === undefined) throw new Error('there are no keys')
  return { publicKey: key.publicKey, signer: key.createSigner() }
}

function json(value: object): Uint8Array {
  return encodeUtf8(JSON.stringify(value))
}
