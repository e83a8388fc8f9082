/**
 * The port to the places that keep a key pair as secrets, as cosign lays them out. One contract suite, `test/contract/secret-stores.test.ts`.
 */
import type { KeyStoreOptions } from './key-store.ts'

/** A key pair as it is kept: whoever has all of it can sign. */
export interface KeyPairSecrets {
  /** cosign's encrypted private key, PEM. */
  readonly privateKey: string
  /** PEM. */
  readonly publicKey: string
  /** What the private key is encrypted with. */
  readonly password: Uint8Array
}

export type SecretStoreOptions = Omit<KeyStoreOptions, 'password'>

/** One place, as a reference names it. */
export interface SecretPlace {
  /** The secret that a new key pair would replace, for a question: `Secret cosign in namespace default`. Undefined where there is none. */
  readonly existing: string | undefined
  /** Whether the public key, too, is for programs that run there, so that a file of it is one more copy. */
  readonly isForPrograms: boolean
  /**
   * Keeps a key pair there, in the place of the one before.
   * @param tell gets a line about each part as soon as it is there
   * @throws CountersignError SERVICE_REFUSED; TransportError
   */
  write(pair: KeyPairSecrets, tell: (line: string) => void): Promise<void>
}

export interface SecretStore {
  /**
   * Finds the place of a reference. Nothing is changed, so that what cannot work fails before a password is asked for.
   * @throws UsageError USAGE for a reference that is not formed as the store's are, credentials or a package that are missing; CountersignError
   * SERVICE_REFUSED; TransportError
   */
  open(reference: string, options: SecretStoreOptions): Promise<SecretPlace>
}
