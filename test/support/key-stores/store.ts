/** Key stores for the contract suite: each with somebody who holds the keys, and who can be made to misbehave. */
import type { KeyObject } from 'node:crypto'
import type { KeyKind } from '../../../src/crypto/private-key.ts'
import type { KeyStore } from '../../../src/keys/key-store.ts'

/** What the holder does instead of what it should. */
export type Fault = 'none' | 'refuse' | 'hang up' | 'other key' | 'garbage' | 'nothing in it' | 'too much'

export interface RunningStore {
  readonly keyStore: KeyStore
  readonly env: Readonly<Record<string, string>>
  fault: Fault
  /** How often the holder was asked for anything. */
  asked(): number
  /** Makes the holder hold a key. @param isPss where keys are bound to how they sign, that this one is to PSS */
  hold(kind: KeyKind, isPss?: boolean): HeldTestKey
  close(): Promise<void>
}

export interface HeldTestKey {
  readonly reference: string
  readonly native: KeyObject
}

export interface StoreKind {
  readonly name: string
  /** The kinds of keys that it has, and those that it can make. */
  readonly kinds: readonly KeyKind[]
  readonly makes: readonly KeyKind[]
  /** How RSA keys sign with PSS: when they are asked to, when they are made for it, or never. */
  readonly pss: 'asked' | 'bound' | 'never'
  /** How far a digest of Ed25519ph is signed. */
  readonly signsEd25519ph: boolean
  readonly faults: readonly Fault[]
  /** A reference to a key that is not there, and one to a key that can be made. */
  readonly unknown: string
  readonly fresh?: string
  /** References that are not formed as they should be. */
  readonly malformed: readonly string[]
  /** What is in the environment or the reference, and must never be in a message. */
  readonly secrets: readonly string[]
  /** Where it is implemented, and the package that it needs, if it needs one. */
  readonly source: { readonly file: string; readonly needs?: string }
  start(): Promise<RunningStore>
}
