/** Who signs: a key that was given, or whoever the identity token is about. */
import type { PublicKey } from '../../crypto/public-key.ts'
import { scryptHere } from '../../crypto/scrypt.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { openKey } from '../../keys/key-reference.ts'
import type { Signer } from '../../crypto/signer.ts'
import type { SigningKey } from '../../keys/key-store.ts'
import type { SigningIdentity } from '../../sign/sign-content.ts'
import { ephemeralKeyKinds } from '../../sign/signing-algorithm.ts'
import type { SigningAlgorithmName } from '../../sign/signing-algorithm.ts'
import type { LogService } from '../../sign/signing-services.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { warn } from '../context.ts'
import { whileWaiting } from '../waiting-for-input.ts'
import type { OwnCertificate } from './own-certificate.ts'
import { unlock } from './unlock.ts'
import type { SigningMaterial } from './services.ts'
import type { SigningFlags, Task } from './task.ts'

/** The key of `--key`. @throws as `openKey` and `unlock` */
export function loadKey({ context, flags, inputIsTaken }: Task): Promise<SigningKey> {
  const { env, cwd, signal } = context
  const password = (): Promise<Uint8Array> => unlock(context, flags.key, inputIsTaken)
  return openKey(flags.key, { env, cwd, signal, whileWaiting, password, derive: scryptHere })
}

/**
 * Gives the identity to sign with, for each signature.
 * @param key undefined where a key is made for the occasion
 * @param own the certificate that comes with the key, where there is one
 * @param algorithmOf how a key that was given signs
 */
export function identitySource(
  task: Task,
  material: SigningMaterial,
  key: SigningKey | undefined,
  own: OwnCertificate | undefined,
  algorithmOf: (key: PublicKey, logs: readonly LogService[]) => SignatureAlgorithm,
): () => Promise<SigningIdentity> {
  const { services } = material
  const ownSigner = key?.createSigner(key.onlyAlgorithm ?? algorithmOf(key.publicKey, services.logs))
  if (services.certificateAuthority === undefined && ownSigner !== undefined) {
    const identity = { signer: ownSigner, certificate: own?.certificate, chain: own?.chain ?? [] }
    return () => Promise.resolve(identity)
  }
  let identify: Promise<() => Promise<SigningIdentity>> | undefined
  return async () => (await (identify ??= keylessSource(task, material, ownSigner)))()
}

/** What speaks to issuers and certificate authorities is loaded when it is needed. */
async function keylessSource(
  task: Task,
  material: SigningMaterial,
  ownSigner: Signer | undefined,
): Promise<() => Promise<SigningIdentity>> {
  const { context, flags } = task
  const { services, trust, scts, issuer } = material
  const [{ createKeylessIdentity }, { getIdentityToken }, { isLoopbackHost }] = await Promise.all([
    import('../../sign/keyless-identity.ts'),
    import('./identity-token.ts'),
    import('../../http/host.ts'),
  ])
  const url = services.certificateAuthority ?? ''
  const address = URL.canParse(url) ? new URL(url) : undefined
  // Inside a cluster some authorities have no TLS.
  if (address?.protocol === 'http:' && !isLoopbackHost(address.hostname))
    warn(context, `the identity token is sent to ${address.host} without TLS: whoever listens on the way can get certificates in its name`)
  const identify = createKeylessIdentity({
    url,
    trust,
    scts,
    env: context.env,
    signal: context.signal,
    now: () => context.now(),
    signer: ownSigner,
    keyKind: ephemeralKeyKinds[algorithmName(flags)],
    token() {
      if (ownSigner === undefined) context.stderr.write('Generating ephemeral keys...\n')
      // Before anybody is asked to sign in, as cosign 1 and 2 have it.
      context.stderr.write('Retrieving signed certificate...\n')
      return getIdentityToken(context, { ...task, issuer })
    },
  })
  let announced: Certificate | undefined
  return async () => {
    const identity = await identify()
    if (scts > 0 && identity.certificate !== announced) {
      announced = identity.certificate
      context.stderr.write('Successfully verified SCT...\n')
    }
    return identity
  }
}

function algorithmName(flags: SigningFlags): SigningAlgorithmName {
  const name = flags['signing-algorithm']
  return Object.hasOwn(ephemeralKeyKinds, name) ? (name as SigningAlgorithmName) : 'ecdsa-sha2-256-nistp256'
}
