/** Signing without a key of one's own: a key that exists in memory only, and a certificate for it that lasts minutes. */
import type { KeyKind } from '../crypto/private-key.ts'
import { generateSigner } from '../crypto/private-key.ts'
import type { Signer } from '../crypto/signer.ts'
import type { IdentityToken } from '../identity/token.ts'
import type { SigningIdentity } from './sign-content.ts'
import type { SigningCertificateOptions } from './signing-certificate.ts'
import { obtainCertificate } from './signing-certificate.ts'

export interface KeylessOptions extends SigningCertificateOptions {
  /** Gets an identity token, each time that a certificate is needed. */
  readonly token: () => Promise<IdentityToken>
  /** The kind of key to make; default P-256. */
  readonly keyKind?: KeyKind
  /** A key of one's own to have certified, instead of a new one. */
  readonly signer?: Signer | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** A certificate is not used for a signature in its last minute: the timestamp must still fall into it. */
const reserveMs = 60_000

/**
 * An identity for several signatures: one sign-in and one certificate, as long as that is valid.
 * @returns a function that gives the identity to sign with now. It throws as `obtainCertificate`, and what `token` throws
 */
export function createKeylessIdentity(options: KeylessOptions): () => Promise<SigningIdentity> {
  let current: Promise<Obtained> | undefined
  const obtain = (): Promise<Obtained> => {
    const started = obtainIdentity(options)
    // A failure is not kept: the next signature may ask again.
    started.catch(() => {
      if (current === started) current = undefined
    })
    return started
  }
  return async () => {
    const known = (current ??= obtain())
    const { identity, notAfter } = await known
    if (options.now() < notAfter - reserveMs) return identity
    // Of several that find it too old, the first renews it.
    if (current === known) current = obtain()
    return (await (current ?? obtain())).identity
  }
}

interface Obtained {
  readonly identity: SigningIdentity
  /** Epoch milliseconds. */
  readonly notAfter: number
}

async function obtainIdentity(options: KeylessOptions): Promise<Obtained> {
  const { token, keyKind = 'ecdsa-p256', signer: ownSigner, now: _, ...certificateOptions } = options
  const signer = ownSigner ?? generateSigner(keyKind)
  const certificate = await obtainCertificate(await token(), signer, certificateOptions)
  return { identity: { signer, certificate }, notAfter: certificate.notAfter }
}
