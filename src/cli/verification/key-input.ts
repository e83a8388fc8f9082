/** The public key of `--key`, and what it may have signed with. */
import type { DigestAlgorithm } from '../../crypto/digest.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import { describeKey } from '../../crypto/public-key.ts'
import { signatureAlgorithmsOver } from '../../crypto/signature.ts'
import { excerpt } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import { withoutSecrets } from '../../http/address.ts'
import { fetchPublicKey } from '../../keys/key-reference.ts'
import type { KeyPolicy } from '../../verify/policy.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { whileWaiting } from '../waiting-for-input.ts'

/** Loads the key that a reference names. @throws as `fetchPublicKey` */
export function loadPublicKey(context: CommandContext, reference: string): Promise<PublicKey> {
  const { env, cwd, signal } = context
  if (isUnprotected(reference)) {
    const address = withoutSecrets(reference)
    warn(
      context,
      `the key is fetched from ${address} without encryption: whoever is on the way can put another one in its place (give an https:// address, or a file)`,
    )
  }
  return fetchPublicKey(reference, { env, cwd, signal, whileWaiting })
}

const digestFlag = 'signature-digest-algorithm'
const digestNames = ['sha224', 'sha256', 'sha384', 'sha512'] as const

interface DigestFlag {
  readonly [digestFlag]: string
}

/**
 * The digest that the user says a key has signed. The default stands for whatever is usual for the key, since nobody can tell whether it was
 * given; any other is the only one that counts, as in cosign.
 * @throws UsageError USAGE for what is no digest
 */
export function signatureDigest({ [digestFlag]: text }: DigestFlag): DigestAlgorithm | undefined {
  const digest = text === '' ? 'sha256' : digestNames.find((name) => name === text.toLowerCase())
  if (digest === undefined)
    throw new UsageError('USAGE', `unknown digest algorithm: ${excerpt(text)} (--${digestFlag} should be ${digestNames.join(', ')})`)
  return digest === 'sha256' ? undefined : digest
}

/** Whom the policy accepts for `--key`. @throws UsageError USAGE for a digest that the key does not sign */
export function keyPolicy(key: PublicKey, flags: DigestFlag): KeyPolicy {
  const digest = signatureDigest(flags)
  // Ed25519 has its own.
  if (digest === undefined || key.kind === 'ed25519') return { kind: 'key', key }
  const algorithm = signatureAlgorithmsOver(digest, key)
  if (algorithm.length > 0) return { kind: 'key', key, algorithm }
  throw new UsageError('USAGE', `the key is ${describeKey(key)}, which does not sign ${digest} digests (--${digestFlag})`)
}

/** An http:// address of another machine. */
function isUnprotected(reference: string): boolean {
  if (!/^http:\/\//i.test(reference) || !URL.canParse(reference)) return false
  return !['localhost', '127.0.0.1', '[::1]'].includes(new URL(reference).hostname)
}
