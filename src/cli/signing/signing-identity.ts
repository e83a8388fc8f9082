/** Who signs: a key that was given, or whoever the identity token is about. */
import type { PrivateKey } from '../../crypto/private-key.ts'
import { loadPrivateKey } from '../../keys/private-key-reference.ts'
import { createKeylessIdentity } from '../../sign/keyless-identity.ts'
import type { SigningIdentity } from '../../sign/sign-content.ts'
import { ephemeralKeyKinds, messageAlgorithm } from '../../sign/signing-algorithm.ts'
import type { SigningAlgorithmName } from '../../sign/signing-algorithm.ts'
import { getIdentityToken } from './identity-token.ts'
import { readPassword } from './password.ts'
import type { SigningMaterial } from './services.ts'
import type { SignBlobFlags, Task } from './task.ts'

/** The key of `--key`. @throws as `loadPrivateKey` and `readPassword` */
export function loadKey({ context, flags, inputIsTaken }: Task): Promise<PrivateKey> {
  return loadPrivateKey(flags.key, { env: context.env, cwd: context.cwd, password: () => readPassword(context, inputIsTaken) })
}

/**
 * Gives the identity to sign with, for each signature.
 * @param key undefined where a key is made for the occasion
 */
export function identitySource(task: Task, material: SigningMaterial, key: PrivateKey | undefined): () => Promise<SigningIdentity> {
  const { context, flags } = task
  const { services, trust, scts, issuer } = material
  const ownSigner = key?.createSigner(messageAlgorithm(key.publicKey, services.logs.length > 0))
  if (services.certificateAuthority === undefined && ownSigner !== undefined) {
    return () => Promise.resolve({ signer: ownSigner, certificate: undefined })
  }
  return createKeylessIdentity({
    url: services.certificateAuthority ?? '',
    trust,
    scts,
    env: context.env,
    signal: context.signal,
    now: () => context.now(),
    signer: ownSigner,
    keyKind: ephemeralKeyKinds[algorithmOf(flags)],
    async token() {
      if (key === undefined) context.stderr.write('Generating ephemeral keys...\n')
      const token = await getIdentityToken(context, { ...task, issuer })
      context.stderr.write('Retrieving signed certificate...\n')
      return token
    },
  })
}

function algorithmOf(flags: SignBlobFlags): SigningAlgorithmName {
  const name = flags['signing-algorithm']
  return Object.hasOwn(ephemeralKeyKinds, name) ? (name as SigningAlgorithmName) : 'ecdsa-sha2-256-nistp256'
}
