/** The port to the places where keys are: key management services, tokens, plugins. One contract suite, `test/contract/key-store.test.ts`. */
import type { KeyKind } from '../crypto/private-key.ts'
import type { PublicKey } from '../crypto/public-key.ts'
import type { KeyDerivation } from '../crypto/scrypt.ts'
import type { SignatureAlgorithm } from '../crypto/signature-algorithm.ts'
import type { Signer } from '../crypto/signer.ts'
import type { Environment } from '../http/environment.ts'

/** A private key that can sign, wherever it is. One in memory (`PrivateKey`) is such a key, too. */
export interface SigningKey {
  readonly publicKey: PublicKey
  /** How an RSA key signs, where who holds it has bound it to one way. */
  readonly onlyAlgorithm?: SignatureAlgorithm
  /**
   * @param algorithm `onlyAlgorithm`, or that of `defaultSignatureAlgorithm`, unless given
   * @throws UsageError USAGE when the key, or who holds it, does not sign so
   */
  createSigner(algorithm?: SignatureAlgorithm): Signer
}

/** What a key is unlocked with. */
export interface Unlocking {
  /** Asks for what unlocks the key, when it turns out to be needed: the password of an encrypted key, the PIN of a token. */
  readonly password: () => Promise<Uint8Array>
  /** How a password becomes the key of an encrypted file: on another thread unless given. */
  readonly derive?: KeyDerivation
}

export interface KeyStoreOptions extends Unlocking {
  readonly env: Environment
  /** Where relative paths start. */
  readonly cwd: string
  readonly signal?: AbortSignal
  /** Does a call during which this thread stands still, for as long as a pipe or a token makes it wait. */
  readonly whileWaiting?: <Result>(call: () => Result) => Result
}

/** Where nobody minds that the thread stands still. */
export function atOnce<Result>(call: () => Result): Result {
  return call()
}

/**
 * Where keys are, for one scheme of references. References come whole, with their scheme. All methods throw UsageError USAGE for a
 * reference that is not formed as the store's are, and for an SDK that is not installed, with its name; CountersignError
 * SERVICE_REFUSED for what the store refuses; TransportError for one that is out of reach; KEY_UNSUPPORTED for other kinds of keys.
 */
export interface KeyStore {
  /** The key to sign with. Its public half is fetched here, its private half is not. */
  openKey(reference: string, options: KeyStoreOptions): Promise<SigningKey>
  /** The public key alone: what a verifier needs. No password is asked for. */
  fetchPublicKey(reference: string, options: KeyStoreOptions): Promise<PublicKey>
  /** Makes a key of this name, unless there is one, and gives its public half. Absent where keys are only used. */
  createKey?(reference: string, options: KeyStoreOptions & { readonly kind: KeyKind }): Promise<PublicKey>
}
